"""The sample organization: a dozen accounts in nested units, with openings of several kinds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.aws.sample import (
    REGIONS,
    WORLD,
    WORLD6,
    SeedGroup,
    SeedInterface,
    SeedRegion,
    SeedRule,
    tcp,
)


@dataclass(frozen=True, slots=True)
class SampleAccount:
    """A member by id and name, the unit that it is in, and what its regions hold."""

    id: str
    name: str
    unit: str
    regions: Mapping[str, SeedRegion] = field(default_factory=dict)


# Each unit with the one that it is in; None is the root.
UNITS: dict[str, str | None] = {
    "workloads": None,
    "production": "workloads",
    "staging": "workloads",
    "platform": None,
}
REFUSING = "210000000011"
"""The account in which somebody deletes the role of the audit."""
SUSPENDED = "210000000012"
"""The account that was closed."""


def _opening(
    region: str, name: str, rule: SeedRule, address: str | None = None, owner: str | None = None
) -> Mapping[str, SeedRegion]:
    """A region with one group of one rule, which is on an interface if there is an address."""
    interfaces = (SeedInterface(name, (name,), address),) if address else ()
    group = SeedGroup(name, f"For {name}", (rule,), owner)
    return {region: SeedRegion(prefix_lists=(), groups=(group,), interfaces=interfaces)}


ACCOUNTS = (
    SampleAccount("210000000001", "shop-production", "production", REGIONS),
    SampleAccount(
        "210000000002",
        "payments-production",
        "production",
        _opening("eu-central-1", "payments-database", tcp(5432, WORLD), "52.28.10.11", "payments"),
    ),
    SampleAccount(
        "210000000003",
        "search-production",
        "production",
        _opening("eu-west-1", "search-nodes", tcp(9200, WORLD, WORLD6), "52.208.20.11", "search"),
    ),
    SampleAccount("210000000004", "identity-production", "production"),
    SampleAccount(
        "210000000005",
        "shop-staging",
        "staging",
        _opening("eu-west-1", "staging-bastion", tcp(22, WORLD), "52.208.20.12", "shop"),
    ),
    SampleAccount(
        "210000000006",
        "payments-staging",
        "staging",
        _opening("eu-central-1", "copy-of-production", tcp(3306, WORLD), owner="payments"),
    ),
    SampleAccount("210000000007", "search-staging", "staging"),
    SampleAccount(
        "210000000008",
        "build",
        "platform",
        _opening("us-east-1", "build-server", tcp(8080, WORLD), "54.160.20.11", "platform"),
    ),
    SampleAccount(
        "210000000009",
        "network",
        "platform",
        _opening(
            "ap-southeast-2",
            "everything",
            SeedRule("-1", None, None, (WORLD,)),
            "13.54.20.11",
            "network",
        ),
    ),
    SampleAccount("210000000010", "backup", "platform"),
    SampleAccount(REFUSING, "acquired-company", "platform"),
    SampleAccount(SUSPENDED, "old-website", "platform"),
)
