"""Groups with many rules; AWS allows 1,000 on one network interface.

https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from handler.model.network import PrefixList, Rule, SecurityGroup
from handler.model.traffic import Traffic
from handler.scan import GroupSource

_PORTS = (22, 80, 443, 3306, 3389, 5432, 6379, 8080, 9200, 27017)


@dataclass(frozen=True, slots=True)
class Alone(GroupSource):
    """A target with one group, as ``scan`` reads it."""

    group: SecurityGroup

    def security_groups(self) -> Iterator[SecurityGroup]:
        """The group."""
        return iter((self.group,))

    def prefix_lists(self, ids: Sequence[str]) -> dict[str, PrefixList]:  # noqa: ARG002 - a Source's
        """No lists."""
        return {}

    def rule_ids(self, group_ids: Sequence[str]) -> Iterator[tuple[Rule, str]]:  # noqa: ARG002
        """An id for every rule, by rules of their own as another answer of AWS gives them."""
        rules = self.group.rules
        return ((Rule(*rule), f"sgr-{number:017x}") for number, rule in enumerate(rules))

    def interfaces(self, group_ids: Sequence[str]) -> None:
        """Nobody knows."""


def ordinary(rules: int) -> Alone:
    """That many rules: different public networks on each of ten services."""
    return _alone(
        (Traffic("tcp", port, port), f"52.{number}.{port % 256}.0/24")
        for port in _PORTS
        for number in range(rules // len(_PORTS))
    )


def hostile(rules: int) -> Alone:
    """That many rules: different public networks on ranges of ports that all overlap."""
    return _alone(
        (Traffic("tcp", 1_000 + number, 60_000 + number), f"52.{number // 256}.{number % 256}.0/24")
        for number in range(rules)
    )


def _alone(openings: Iterable[tuple[Traffic, str]]) -> Alone:
    group_id = "sg-00000000000000001"
    rules = tuple(Rule(group_id, traffic, source) for traffic, source in openings)
    return Alone(SecurityGroup(group_id, "largest", "vpc-1", rules))
