"""What several groups on one network interface open only together.

Rules of all groups on an interface add up: half the internet in one group and half in another is
the whole internet.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from handler.exposure.exposures import exposures
from handler.model.internet import Internets
from handler.model.network import Exposure, NetworkInterface, OpenGroup, RegionData, SecurityGroup


class JointExposure(NamedTuple):
    """What several groups open only together, and the interfaces with these groups."""

    exposure: Exposure
    groups: tuple[SecurityGroup, ...]
    interfaces: tuple[NetworkInterface, ...]


def joint_exposures(region: RegionData, internets: Internets) -> Iterator[JointExposure]:
    """The exposures that reach further than those of any single group.

    The same rules on several interfaces are one joint exposure.
    """
    open_groups = {member.group.id: member for member in region.open_groups if member.exposures}
    interfaces_of: defaultdict[tuple[str, ...], list[NetworkInterface]] = defaultdict(list)
    for interface in region.interfaces or ():
        # Groups that open nothing add nothing to what the others open.
        group_ids = tuple(sorted(open_groups.keys() & interface.group_ids))
        if len(group_ids) > 1:
            interfaces_of[group_ids].append(interface)
    found: defaultdict[Exposure, list[NetworkInterface]] = defaultdict(list)
    for group_ids, interfaces in interfaces_of.items():
        members = [open_groups[group_id] for group_id in group_ids]
        rules = [rule for member in members for rule in member.group.rules]
        for exposure in exposures(rules, region.prefix_lists, internets):
            if not any(_includes(member, exposure) for member in members):
                found[exposure] += interfaces
    for exposure, interfaces in found.items():
        groups = {rule.group_id: open_groups[rule.group_id].group for rule in exposure.rules}
        yield JointExposure(
            exposure=exposure,
            groups=tuple(groups[group_id] for group_id in sorted(groups)),
            interfaces=tuple(sorted(interfaces, key=lambda interface: interface.id)),
        )


def _includes(member: OpenGroup, exposure: Exposure) -> bool:
    """Whether the group by itself opens all of the exposure, with no less reach."""
    return any(
        single.family is exposure.family
        and single.traffic.contains(exposure.traffic)
        and single.reach.rank <= exposure.reach.rank
        and single.breadth <= exposure.breadth
        for single in member.exposures
    )
