"""Builds the findings of one group, or of several groups on the same interfaces."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from handler.assess.paths import PathFinder
from handler.assess.service_lookup import service_name
from handler.assess.severity import UNKNOWN_SHARE, Share, Verdict, severity_of, share_of
from handler.exposure.aws_lists import AwsExposure
from handler.model.address import Family, Interval, is_prefix_list
from handler.model.address_set import AddressSet
from handler.model.attachment import Attachment, Clause, Path, path_of
from handler.model.finding import MAX_NAMED, Finding, Kind, Severity
from handler.model.network import (
    Exposure,
    Holder,
    MalformedRule,
    NetworkInterface,
    RegionData,
    Rule,
    SecurityGroup,
)
from handler.model.reach import Reach
from handler.model.traffic import ALL_PROTOCOLS, ICMP_PROTOCOLS, Traffic
from handler.report.phrases import join_first

# Leaves room for the interface's addresses.
_LONGEST_HOLDER = 80
_NAMED_ADDRESSES = 3


class FindingBuilder:
    """Builds the findings of one group, or of several groups on the same interfaces."""

    def __init__(
        self,
        region: RegionData,
        finder: PathFinder,
        groups: Sequence[SecurityGroup],
        interfaces: Sequence[NetworkInterface],
    ) -> None:
        self.region = region
        self.finder = finder
        self.groups = groups
        self.interfaces = interfaces
        self.in_use = [interface for interface in interfaces if interface.is_in_use]
        # Public interfaces come first, because reports name only the first few.
        named = sorted(interfaces, key=lambda interface: not interface.public_addresses)[:MAX_NAMED]
        is_joint = len(groups) > 1
        self._fields: Mapping[str, Any] = {
            "target": region.target,
            "group_id": groups[0].id,
            "group_name": groups[0].name,
            "vpc_id": groups[0].vpc_id,
            "owner": _joined(group.owner for group in groups),
            "managed_by": _joined(group.managed_by for group in groups),
            "group_ids": tuple(group.id for group in groups) if is_joint else (),
            "group_names": tuple(group.name for group in groups) if is_joint else (),
            "interfaces": tuple(interface.id for interface in named),
            "attached": tuple(map(_describe, named)),
            "holders": tuple(chain.from_iterable(map(_holder_ids, interfaces))),
            "interface_count": len(interfaces),
        }

    def from_exposure(self, kind: Kind, exposure: Exposure, **fields: Any) -> Finding:
        """The finding about an exposure, without commands."""
        return self._finding(
            kind,
            exposure.traffic,
            self.verdict(exposure),
            exposure.rules,
            reach=exposure.reach,
            family=exposure.family,
            addresses=exposure.addresses,
            share=exposure.share,
            address_set=exposure.address_set,
            **fields,
        )

    def verdict(self, exposure: Exposure) -> Verdict:
        """The severity of the exposure on these interfaces, with the reason."""
        family, traffic = exposure.family, exposure.traffic
        sources = self.finder.public_sources(exposure.rules, family)
        return severity_of(traffic, share_of(exposure), self._paths(family, traffic, sources))

    def from_aws_exposure(self, rule: Rule, opening: AwsExposure) -> Finding:
        """The finding about an AWS-managed prefix list that lets any customer of a service in."""
        family, traffic = opening.family, opening.traffic
        steps = 1 if opening.reach is Reach.WIDE else len(Severity)
        share = Share(steps, opening.clients)
        return self._finding(
            Kind.EXPOSURE,
            traffic,
            severity_of(traffic, share, self._paths(family, traffic)),
            (rule,),
            (rule.source,),
            reach=opening.reach,
            family=family,
            detail=opening.clients,
            address_set=AddressSet((rule.source,)),
        )

    def from_unreadable(self, rule: Rule, error: str) -> Finding:
        """The finding about a prefix list that could not be read, and may hold any address."""
        return self._finding(
            Kind.UNREADABLE,
            rule.traffic,
            self._worst(rule.traffic),
            (rule,),
            (rule.source,),
            detail=f"prefix list {rule.source} could not be read: {error}",
        )

    def from_malformed(self, malformed: MalformedRule) -> Finding:
        """The finding about a rule with values that AWS does not allow."""
        protocol, reason = malformed.protocol, malformed.reason
        ports = () if protocol in ICMP_PROTOCOLS else (malformed.from_port, malformed.to_port)
        traffic = Traffic(protocol, *ports)
        attachment = self._worst(Traffic(ALL_PROTOCOLS)).attachment
        why = "High: what a malformed rule opens is not known."
        return self._finding(
            Kind.MALFORMED,
            traffic,
            Verdict(Severity.HIGH, attachment, why),
            # A rule may be malformed in several ways.
            details=(*malformed.sources, reason),
            service=None,
            sources=malformed.sources[:MAX_NAMED],
            source_count=len(malformed.sources),
            detail=reason,
        )

    def _worst(self, traffic: Traffic) -> Verdict:
        """The verdict if the sources are unknown: for the family with the shorter path."""
        paths = (path for family in Family for path in self._paths(family, traffic))
        return severity_of(traffic, UNKNOWN_SHARE, paths)

    def _paths(
        self, family: Family, traffic: Traffic, sources: Sequence[Interval] | None = None
    ) -> list[Path]:
        """The path to each interface in use; ``sources`` is None for the whole internet."""
        paths = list(self.finder.paths(self.in_use, family, traffic, sources))
        return paths or [self._path_without_interface()]

    def _path_without_interface(self) -> Path:
        """The path to a group without interfaces in use, or whose interfaces are unknown."""
        if unknown := self.why_unknown():
            return path_of(Attachment.UNKNOWN, unknown)
        reason: str = Clause.NOT_ATTACHED
        if self.interfaces:
            reason = f"the group is only on unused interfaces ({self.interfaces[0].id})"
        # A new interface has the default group unless its creator says otherwise.
        if self.groups[0].name == "default":
            reason = reason.replace("the group", "the VPC's default group")
            return path_of(Attachment.UNATTACHED, reason, 1)
        return path_of(Attachment.UNATTACHED, reason)

    def why_unknown(self) -> str | None:
        """Why it is unknown whether the group is attached; None if it is known."""
        group = self.groups[0]
        if self.region.interfaces is None:
            return "its interfaces could not be read"
        if group.vpc_id is None:
            return "the group has no VPC"
        if group.account not in {None, self.region.target.account}:
            return f"account {group.account} shares the group, and its interfaces are not visible"
        if self.region.hides_managed:
            return "EC2 did not list the interfaces that AWS services manage"
        return None

    def _finding(
        self,
        kind: Kind,
        traffic: Traffic,
        verdict: Verdict,
        rules: tuple[Rule, ...] = (),
        details: Iterable[str] = (),
        **fields: Any,
    ) -> Finding:
        """A finding with the fields that all kinds share, and with ``fields``."""
        target = self.region.target
        place = (kind, target.account, target.region, *(group.id for group in self.groups))
        unique = tuple(dict.fromkeys(rule.source for rule in rules))
        sources = unique[:MAX_NAMED]
        values = {
            **self._fields,
            **verdict._asdict(),
            "id": fingerprint(place, fields.get("family"), traffic, details),
            "kind": kind,
            "traffic": traffic,
            "service": service_name(traffic),
            "reach": Reach.UNKNOWN,
            "rules": rules,
            "sources": tuple(source for source in sources if not is_prefix_list(source)),
            "prefix_lists": tuple(filter(is_prefix_list, sources)),
            "source_count": len(unique),
            "rule_count": len(rules),
            **fields,
        }
        return Finding(**values)


def fingerprint(
    place: Iterable[str], family: Family | None, traffic: Traffic, details: Iterable[str] = ()
) -> str:
    """A finding's id: a hash of place, family, traffic and details.

    ``place`` is the kind, account, region and group ids. CIDRs are not part of the id, so that an
    exposure to more or fewer addresses keeps it.
    """
    opening = (family or "", *map(str, traffic.sort_key), *sorted(details))
    # A snapshot may contain lone surrogates.
    meaning = "\n".join((*place, *opening)).encode(errors="surrogatepass")
    return hashlib.sha256(meaning).hexdigest()[:16]


def _joined(texts: Iterable[str | None]) -> str | None:
    return ", ".join(dict.fromkeys(filter(None, texts))) or None


def _holder_ids(interface: NetworkInterface) -> tuple[str, ...]:
    """The ids of the interface and of its instance, if any."""
    if interface.holder is not Holder.INSTANCE:
        return (interface.id,)
    # The name of an instance begins with its id.
    return interface.id, interface.name.partition(" ")[0]


def _describe(interface: NetworkInterface) -> str:
    """The interface's holder and public addresses, for example instance i-0 (web), 192.0.2.1."""
    kind = "" if interface.holder is Holder.OTHER else interface.holder
    holder = f"{kind} {interface.name}".strip()
    addresses = join_first(interface.public_addresses, _NAMED_ADDRESSES)
    return ", ".join(filter(None, (holder[:_LONGEST_HOLDER] or interface.id, addresses)))
