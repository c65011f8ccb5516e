"""Reads one target and assesses what it opens."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from handler import aws
from handler.assess.findings import assess
from handler.assess.remediation import with_commands
from handler.ec2.group_source import GroupSource
from handler.exposure.aws_lists import aws_exposures
from handler.exposure.exposures import exposures
from handler.model.finding import Finding, is_listed
from handler.model.internet import Internets
from handler.model.network import (
    ACCELERATOR,
    ALL_REGIONS,
    NetworkInterface,
    OpenGroup,
    Paths,
    PrefixList,
    PrivateGroup,
    RegionData,
    Rule,
    SecurityGroup,
    Target,
)
from handler.model.run import Coverage, CoverageStatus, Scan
from handler.policy.policy import Policy

_Result = TypeVar("_Result")
# The prefix lists of this many groups are read together.
_BATCH = 1000
_DENIED = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"})
_DISABLED = frozenset({"AuthFailure", "OptInRequired"})


def scan_target(target: Target, source: GroupSource, policy: Policy) -> Scan:
    """What the target opens to the internet, and how much of it could be read.

    Errors are recorded in the coverage; everything read before them is still evaluated.
    """
    internets = Internets(policy.trusted_cidrs)
    reader = _RegionReader(source, internets)
    findings = list(assess(reader.read(target), internets))
    listed = [finding for finding in findings if is_listed(finding, policy.minimum_severity)]
    rule_ids, portless = reader.read_rule_ids(listed)
    described = {f.id: f for f in with_commands(listed, rule_ids, portless)}
    findings = [described.get(finding.id, finding) for finding in findings]
    coverage = coverage_of(target, reader.failures, reader.groups, reader.rules)
    return Scan(coverage._replace(notice=reader.notice), tuple(findings))


def coverage_of(
    target: Target, failures: Sequence[Exception], groups: int = 0, rules: int = 0
) -> Coverage:
    """The coverage of a target: how much was read, and the errors."""
    if not failures:
        return Coverage(target, CoverageStatus.OK, groups, rules)
    codes = {aws.error_code(failure) for failure in failures}
    status = CoverageStatus.FAILED
    if codes <= _DENIED:
        status = CoverageStatus.DENIED
    elif codes <= _DISABLED:
        status = CoverageStatus.DISABLED
    return Coverage(target, status, groups, rules, _texts(failures))


def unread_account(account: str, error: Exception) -> Scan:
    """The scan of an account of which nothing could be read, not even its regions."""
    return Scan(coverage_of(Target(account, ALL_REGIONS), [error]))


class _RegionReader:
    """Reads a source step by step, and keeps what was read before an error."""

    def __init__(self, source: GroupSource, internets: Internets) -> None:
        self._source = source
        self._internets = internets
        # Only groups that the report names are kept, without their private rules: an account may
        # have tens of thousands.
        self._open_groups: list[OpenGroup] = []
        self._prefix_lists: dict[str, PrefixList] = {}
        self.groups = 0
        self.rules = 0
        self.failures: list[Exception] = []
        self.notice: str | None = None

    def read(self, target: Target) -> RegionData:
        """Read what findings need, and what may lower their severity."""
        has_all_groups = _attempt(self._read_groups, self.failures) is not None
        group_ids = [member.group.id for member in self._open_groups]
        interfaces = _attempt(lambda: self._source.interfaces(group_ids), self.failures)
        in_use = [interface for interface in interfaces or () if interface.is_in_use]
        paths = self._read_paths(in_use) if in_use else Paths()
        return RegionData(
            target,
            tuple(self._open_groups),
            self._prefix_lists,
            None if interfaces is None else tuple(interfaces),
            self._source.hides_managed,
            has_all_groups,
            paths,
        )

    def read_rule_ids(self, findings: Iterable[Finding]) -> tuple[dict[Rule, str], set[Rule]]:
        """The ids of the rules of the findings' groups, and the rules that have no ports in EC2."""
        group_ids = {group_id for finding in findings for group_id, _ in finding.groups}
        groups = [member.group for member in self._open_groups if member.group.id in group_ids]
        rules = {rule for group in groups for rule in group.rules}
        portless = {rule for group in groups for rule in group.portless}

        def read() -> dict[Rule, str]:
            found = self._source.rule_ids([group.id for group in groups])
            return {rule: rule_id for rule, rule_id in found if rule in rules}

        return _attempt(read, self.failures) or {}, portless

    def _read_groups(self) -> bool:
        batch: list[SecurityGroup] = []
        try:
            for group in self._source.security_groups():
                self.groups += 1
                if isinstance(group, PrivateGroup):
                    self.rules += group.rules
                    continue
                self.rules += len(group.rules) + group.private_rules
                batch.append(group)
                if len(batch) == _BATCH:
                    self._evaluate(batch)
                    batch = []
        finally:
            # Also evaluate what was read before an error.
            self._evaluate(batch)
        return True

    def _evaluate(self, groups: Sequence[SecurityGroup]) -> None:
        """Keep the groups that the report names, without their private rules."""
        named = {r.source for group in groups for r in group.rules if r.is_prefix_list}
        if unread := named - self._prefix_lists.keys():
            self._prefix_lists |= self._source.prefix_lists(sorted(unread))
        for group in groups:
            found = exposures(group.rules, self._prefix_lists, self._internets)
            lists = [(r, self._prefix_lists[r.source]) for r in group.rules if r.is_prefix_list]
            is_named = any(of_rule.error or any(aws_exposures(r, of_rule)) for r, of_rule in lists)
            if found or group.malformed or is_named:
                # Private rules open nothing, alone or with other groups.
                is_routable = self._internets.is_routable
                public = tuple(r for r in group.rules if r.is_prefix_list or is_routable(r.source))
                self._open_groups.append(OpenGroup(group._replace(rules=public), found))

    def _read_paths(self, in_use: Sequence[NetworkInterface]) -> Paths:
        """Read what decides whether the internet reaches the interfaces, if it may.

        What cannot be read proves nothing: severities stay as they are, and the notice says so.
        """
        source, errors = self._source, list[Exception]()
        paths = Paths(_attempt(source.entry_points, errors))
        # An accelerator needs no public address.
        is_entered = any(
            p.public_addresses or p.type == ACCELERATOR for p in paths.entry_points or ()
        )
        if is_entered or any(map(self._may_be_reached, in_use)):
            paths = Paths(
                paths.entry_points,
                _attempt(source.route_tables, errors),
                _attempt(source.network_acls, errors),
                _attempt(source.block_public_access, errors),
            )
        if errors:
            self.notice = f"severities may be too high: {_texts(errors)}"
        return paths

    def _may_be_reached(self, interface: NetworkInterface) -> bool:
        """Whether it has an address that the internet or a carrier may reach."""
        # A VPC's own range may be public.
        return (
            bool(interface.public_addresses)
            or interface.has_carrier_address
            or any(map(self._internets.is_routable, interface.private_ipv4))
        )


def _attempt(read: Callable[[], _Result], errors: list[Exception]) -> _Result | None:
    """The result; None after an error, which is added to the errors."""
    try:
        return read()
    except (*aws.FAILURES, ValueError) as error:
        errors.append(error)
        return None


def _texts(errors: Iterable[Exception]) -> str:
    """The errors as sentences, without duplicates."""
    return " ".join(dict.fromkeys(map(aws.error_text, errors)))
