"""What several groups on one network interface open only together.

Rules of all groups on an interface add up: half the internet in one group and half in another is
the whole internet.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from handler.address import Internets
from handler.exposure import exposures
from handler.model import Exposure, Interface, OpenGroup, Reading, SecurityGroup


@dataclass(frozen=True, slots=True)
class Joint:
    """What several groups expose together, and the interfaces on which they do."""

    exposure: Exposure
    groups: tuple[SecurityGroup, ...]
    interfaces: tuple[Interface, ...]


def joints(reading: Reading, internets: Internets) -> Iterator[Joint]:
    """Every exposure that reaches further than each of its groups does by itself.

    The same rules on many interfaces are one joint.
    """
    by_id = {each.group.id: each for each in reading.open_groups if each.exposures}
    carriers: defaultdict[tuple[str, ...], list[Interface]] = defaultdict(list)
    for interface in reading.interfaces or ():
        # Groups on an interface are a set; closed ones add nothing to what the others open.
        ids = tuple(sorted(by_id.keys() & interface.group_ids))
        if len(ids) > 1:
            carriers[ids].append(interface)
    found: defaultdict[Exposure, list[Interface]] = defaultdict(list)
    for ids, together in carriers.items():
        members = [by_id[group_id] for group_id in ids]
        rules = [rule for member in members for rule in member.group.rules]
        for exposure in exposures(rules, reading.lists, internets):
            if not any(_shows(member, exposure) for member in members):
                found[exposure] += together
    for exposure, together in found.items():
        groups = {rule.group_id: by_id[rule.group_id].group for rule in exposure.rules}
        yield Joint(
            exposure=exposure,
            groups=tuple(groups[group_id] for group_id in sorted(groups)),
            interfaces=tuple(sorted(together, key=lambda interface: interface.id)),
        )


def _shows(member: OpenGroup, exposure: Exposure) -> bool:
    """Whether the group's own exposures tell all that this one does."""
    return any(
        own.family is exposure.family
        and own.traffic.contains(exposure.traffic)
        and own.reach.rank <= exposure.reach.rank
        for own in member.exposures
    )
