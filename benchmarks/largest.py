"""Groups with many rules; AWS allows 1,000 on one network interface.

https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handler.ec2.group_source import GroupSource
from handler.model.network import PrefixList, Rule, SecurityGroup
from handler.model.traffic import Traffic

Opened = tuple[Traffic, str]
_PORTS = (22, 80, 443, 3306, 3389, 5432, 6379, 8080, 9200, 27017)


@dataclass(frozen=True, slots=True)
class Region(GroupSource):
    """A region with as many groups as are asked for, each with the same rules."""

    count: int
    opened: Sequence[Opened]

    def security_groups(self) -> Iterator[SecurityGroup]:
        """The groups."""
        return map(self._group, range(self.count))

    def prefix_lists(self, ids: Sequence[str]) -> dict[str, PrefixList]:  # noqa: ARG002 -- a Source's
        """No lists."""
        return {}

    def rule_ids(self, group_ids: Sequence[str]) -> Iterator[tuple[Rule, str]]:  # noqa: ARG002
        """An id for every rule."""
        for number in range(self.count):
            for index, rule in enumerate(self._group(number).rules):
                yield rule, f"sgr-{number:08x}{index:09x}"

    def interfaces(self, group_ids: Sequence[str]) -> None:
        """They are not known."""

    def _group(self, number: int) -> SecurityGroup:
        group_id = f"sg-{number:017x}"
        rules = tuple(Rule(group_id, *opened) for opened in self.opened)
        return SecurityGroup(group_id, f"group-{number}", "vpc-1", rules)


def ordinary(rules: int) -> Region:
    """That many rules: different public networks on each of ten services."""
    opened = (
        (Traffic("tcp", port, port), f"52.{number}.{port % 256}.0/24")
        for port in _PORTS
        for number in range(rules // len(_PORTS))
    )
    return Region(1, tuple(opened))


def hostile(rules: int) -> Region:
    """That many rules: different public networks on ranges of ports that all overlap."""
    opened = (
        (Traffic("tcp", 1_000 + number, 60_000 + number), f"52.{number // 256}.{number % 256}.0/24")
        for number in range(rules)
    )
    return Region(1, tuple(opened))
