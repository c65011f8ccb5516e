"""Generated rules and exceptions, compared packet by packet with a plain model."""

from datetime import date
from ipaddress import ip_network
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handler.model.finding import Finding, Status
from handler.model.internet import Internets
from handler.policy.policy import Policy
from tests.support import reports
from tests.support.examples import examples
from tests.support.security_groups import answer, permission

Group = list[tuple[tuple[str, list[Any]], list[str]]]
LISTS = {"pl-1": ["0.0.0.0/0"], "pl-2": ["8.0.0.0/8"], "pl-3": ["10.0.0.0/8", "2600::/12"]}
CIDRS = ("0.0.0.0/0", "8.0.0.0/8", "8.8.0.0/16", "0.0.0.0/1", "::/0", "2000::/3", "2600::/12")
PORTS = (0, *range(20, 25), 65_535)
# One of each kind that rules and exceptions treat differently.
PACKETS = [(name, port) for name in ("tcp", "udp") for port in PORTS] + [("50", None)]

ranges = st.tuples(st.integers(20, 24), st.integers(20, 24)).map(sorted)
sources = st.lists(st.sampled_from([*CIDRS, *LISTS]), min_size=1, max_size=3, unique=True)
rules = st.one_of(
    st.tuples(st.sampled_from(["tcp", "udp"]), ranges),
    st.tuples(st.just("tcp"), st.just([0, 65_535])),
    st.tuples(st.just("-1"), st.just([None, None])),
)
anything = st.fixed_dictionaries(
    {
        "ports": st.one_of(
            ranges.map(lambda ports: f"tcp/{ports[0]}-{ports[1]}"),
            st.sampled_from(["tcp", "udp", "udp/20-24", "all"]),
        )
    },
    optional={"source": st.sampled_from([*CIDRS, *LISTS])},
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Group, list[dict[str, str]]]:
    """The rules of a group, and exceptions: most rules have one of their own."""
    group = draw(st.lists(st.tuples(rules, sources), min_size=1, max_size=3))
    exceptions = draw(st.lists(anything, max_size=2))
    for (protocol, (low, high)), named in group:
        ports = "all" if protocol == "-1" else f"{protocol}/{low}-{high}"
        own = [{"ports": ports, "source": source} for source in named]
        exceptions += [exception for exception in own if draw(st.integers(0, 4))]
    return group, exceptions


def holds(outer: str, inner: str) -> bool:
    """Whether somebody who accepts the one source accepts the other."""
    if outer == inner:
        return True
    if outer in LISTS or inner in LISTS:
        return False
    one, other = ip_network(outer), ip_network(inner)
    return one.version == other.version and one.supernet_of(other)  # type: ignore[arg-type]


def lets(protocol: str, low: int | None, high: int | None, packet: tuple[str, int | None]) -> bool:
    """Whether what is open on that protocol and these ports takes the packet."""
    name, port = packet
    if protocol in {"-1", "all"}:
        return True
    return protocol == name and (low is None or high is None or low <= (port or 0) <= high)


def may(exception: dict[str, str], packet: tuple[str, int | None], source: str) -> bool:
    """Whether the exception accepts the packet from that source."""
    protocol, _, ports = exception["ports"].partition("/")
    low, high = map(int, ports.split("-")) if ports else (None, None)
    outer = exception.get("source")
    return lets(protocol, low, high, packet) and (outer is None or holds(outer, source))


def is_accepted(finding: Finding, group: Group, exceptions: list[dict[str, str]]) -> bool:
    """Whether every packet that a rule lets in is accepted from the rule's source.

    A list is of no account where CIDRs alone open all that the finding says.
    """
    internets, traffic = Internets(), finding.traffic
    for (protocol, (low, high)), named in group:
        for source in named:
            located = map(internets.locate, LISTS.get(source, [source]))
            is_public = any(
                family is finding.family and start < end for family, (start, end) in located
            )
            if not is_public or (source in LISTS and not finding.prefix_lists):
                continue
            for packet in PACKETS:
                opened = lets(protocol, low, high, packet) and lets(
                    traffic.protocol, traffic.from_port, traffic.to_port, packet
                )
                if opened and not any(may(exception, packet, source) for exception in exceptions):
                    return False
    return True


@examples(100, in_ci=300)
@given(situations())
def test_a_finding_is_excepted_when_all_its_rules_are_accepted(
    situation: tuple[Group, list[dict[str, str]]],
) -> None:
    """It is excepted if and only if each of its rules is accepted on each of their ports."""
    group, exceptions = situation
    whole = {"group": "sg-1", "reason": "a", "owner": "b", "until": date(2027, 1, 1)}
    policy = Policy.parse({"exceptions": [whole | exception for exception in exceptions]})
    answered = answer(*(permission(name, *ports, *named) for (name, ports), named in group))
    lists = [
        {"PrefixListId": list_id, "OwnerId": "1", "Entries": [{"Cidr": cidr} for cidr in cidrs]}
        for list_id, cidrs in LISTS.items()
    ]
    report = reports.of(reports.read(answered, PrefixLists=lists), policy=policy)
    for finding in report.findings:
        is_excused = finding.status is Status.EXCEPTED
        assert is_excused == is_accepted(finding, group, exceptions)
