"""Generated answers of EC2: none breaks the audit, and none hides an open port."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.ec2 import interfaces, parse
from handler.ec2.group_source import GroupSource
from handler.model.audit_report import Report
from handler.model.network import NetworkInterface, PrefixList, Rule, SecurityGroup
from handler.model.run import CoverageStatus
from handler.policy.policy import Policy
from handler.report.digest import build_digest
from handler.report.html import render_html
from handler.report.json_report import report_to_json
from handler.report.text import render_text
from handler.scan import scan_target
from tests.support.examples import examples
from tests.support.reports import IRELAND, of
from tests.support.security_groups import answer, permission

many = examples(30, in_ci=150)
POLICY = Policy(trusted_cidrs=("8.0.0.0/8",))
SOURCES = {"IpRanges": "CidrIp", "Ipv6Ranges": "CidrIpv6", "PrefixListIds": "PrefixListId"}
MISSING = object()


@dataclass(frozen=True)
class Snapshot(GroupSource):
    """A region with these groups; pl-1 is the world, and other prefix lists cannot be read."""

    groups: Sequence[object]

    def security_groups(self) -> Iterator[SecurityGroup]:
        """Every answer as the handler reads it."""
        return map(parse.parse_security_group, self.groups)

    def prefix_lists(self, ids: Sequence[str]) -> Mapping[str, PrefixList]:
        """Each of the lists."""
        lists = {list_id: PrefixList(list_id, error="Denied.") for list_id in ids}
        return lists | {"pl-1": PrefixList("pl-1", ("0.0.0.0/0", "::/0"))}

    def rule_ids(self, _group_ids: Sequence[str]) -> Iterator[tuple[Rule, str]]:
        """None, so that what closes an exposure is written with the account's own texts."""
        return iter(())

    def interfaces(self, group_ids: Sequence[str]) -> tuple[NetworkInterface, ...]:
        """One that has all of the groups."""
        return (NetworkInterface("eni-1", tuple(group_ids), ("8.8.8.8",)),)


def audited(*groups: object) -> Report:
    """The report of an audit of that region, which must have come to its end."""
    scanned = scan_target(IRELAND, Snapshot(groups), POLICY)
    assert scanned.coverage.status is CoverageStatus.OK, scanned.coverage.error
    return of(scanned)


def is_sentence(message: str) -> bool:
    """Whether a person can read it in a log: one line of some length that ends as sentences do."""
    return len(message) < 400 and message.isprintable() and message.endswith(".")


def check_forms(report: Report) -> None:
    """JSON, text and HTML of a report are encodable, printable and escaped."""
    stored = json.dumps(report_to_json(report), allow_nan=False, ensure_ascii=False)
    assert json.loads(stored.encode())["version"] == 2
    digest = build_digest(report)
    assert digest.subject.isprintable()
    assert all(line.isprintable() for line in render_text(digest).removesuffix("\n").split("\n"))
    page = render_html(digest)
    assert all(line.isprintable() for line in page.removesuffix("\n").split("\n"))
    assert "<x-fuzz>" not in page
    assert page.encode().endswith(b"</html>\n")


def opens_ssh(finding: Mapping[str, Any], family: str) -> bool:
    """Whether a finding of the report says that the world reaches tcp/22."""
    if finding["reach"] != "world" or finding["family"] != family:
        return False
    low, high = finding["fromPort"], finding["toPort"]
    if finding["protocol"] == "tcp":
        return bool(low <= 22 <= high)
    return bool(finding["protocol"] == "all")


def nested(depth: int, breadth: int) -> object:
    """Lists in lists with a long text in the innermost."""
    value: object = "x" * 1000
    for _ in range(depth):
        value = [value] * breadth
    return value


def places(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to everything within a value, as keys and indexes."""
    inner: Sequence[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    if isinstance(value, list):
        inner = list(enumerate(value))
    for key, member in inner:
        yield (*place, key)
        yield from places(member, (*place, key))


def planted(value: Any, place: Sequence[str | int], odd: object) -> Any:
    """A copy of a value with something odd in a place, or with nothing there."""
    copied = value.copy()
    key = place[0]
    if len(place) > 1:
        copied[key] = planted(value[key], place[1:], odd)
    elif odd is MISSING:
        del copied[key]
    else:
        copied[key] = odd
    return copied


# Half of a pair, what terminals and headers obey, what turns the writing round, mark-up.
odd_texts = st.one_of(
    st.sampled_from(["", " ", "\x1b[2J", "a\r\nb", "\u202etxt", "\ud800", "\x00", "x" * 300]),
    st.sampled_from(["<x-fuzz>", "'; rm -rf /", "sg-1", "tcp", "all", "pl-1", "-1", "0.0.0.0/0"]),
    st.text(st.characters(exclude_categories=()), max_size=20),
)
scalars = st.one_of(
    st.sampled_from([None, True, False, -1, 0, 22, 255, 256, 65_535, 65_536, 2**63, 10**300]),
    st.integers(),
    st.floats(),
    odd_texts,
)
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_texts, inner, max_size=3),
    max_leaves=8,
)


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What is usual there, or now and then anything at all."""
    return st.sampled_from([usual] * 9 + [junk]).flatmap(lambda strategy: strategy)


def objects(**usual: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these fields, of which one may be missing."""
    missing = st.sampled_from([None] * 9 + list(usual))
    whole = st.fixed_dictionaries({key: mostly(value) for key, value in usual.items()})
    return st.builds(
        lambda fields, gone: {key: fields[key] for key in fields if key != gone}, whole, missing
    )


def sources(key: str, *usual: str) -> st.SearchStrategy[list[Any]]:
    """A permission's sources of one kind."""
    return st.lists(mostly(objects(**{SOURCES[key]: st.sampled_from(usual)})), max_size=2)


permissions = objects(
    IpProtocol=st.sampled_from(["tcp", "tcp", "udp", "icmp", "icmpv6", "-1", "50", "6"]),
    FromPort=st.sampled_from([22, -1, 0]),
    ToPort=st.sampled_from([22, -1, 65_535]),
    IpRanges=sources("IpRanges", "0.0.0.0/0", "0.0.0.0/1", "9.9.9.9", "10.0.0.0/8"),
    Ipv6Ranges=sources("Ipv6Ranges", "::/0", "2600::/16", "fc00::/7"),
    PrefixListIds=sources("PrefixListIds", "pl-1", "pl-2"),
    UserIdGroupPairs=junk,
)
groups = objects(
    GroupId=st.one_of(st.just("sg-1"), odd_texts),
    GroupName=odd_texts,
    VpcId=st.one_of(st.just("vpc-1"), odd_texts),
    IpPermissions=st.lists(mostly(permissions), max_size=3),
)
answers = objects(
    SecurityGroupRuleId=st.just("sgr-1"),
    NetworkInterfaceId=st.just("eni-1"),
    Cidr=st.sampled_from(["0.0.0.0/0", "::/0"]),
    CidrIpv4=st.sampled_from(["0.0.0.0/0", None]),
    CidrIpv6=st.sampled_from(["::/0", None]),
    GroupId=st.just("sg-1"),
    IsEgress=st.booleans(),
    IpProtocol=st.sampled_from(["tcp", "icmp", "-1"]),
    FromPort=st.sampled_from([22, -1]),
    ToPort=st.sampled_from([22, -1]),
    Groups=st.lists(mostly(objects(GroupId=odd_texts)), max_size=2),
    Association=objects(PublicIp=odd_texts),
    PrivateIpAddresses=st.lists(mostly(objects(Association=junk)), max_size=2),
    Ipv6Addresses=st.lists(mostly(objects(Ipv6Address=st.just("2600::1"))), max_size=2),
)


@many
@given(mostly(groups))
def test_any_group_is_parsed(value: object) -> None:
    """Parsing does not raise, and each reason is one printable sentence."""
    malformed = parse.parse_security_group(value).malformed
    assert all(is_sentence(rule.reason) for rule in malformed), malformed


@many
@given(
    st.sampled_from(
        [
            lambda answers: dict(parse.parse_rule_ids(answers)),
            interfaces.parse_interfaces,
            lambda answers: parse.parse_prefix_list("pl-1", {"OwnerId": "1"}, answers),
        ]
    ),
    st.lists(mostly(answers), min_size=1, max_size=2),
)
def test_other_answers_are_parsed_or_refused(
    read: Callable[[Iterable[object]], object], entries: list[object]
) -> None:
    """Rules, interfaces and prefix lists are parsed, or raise a ValueError with one sentence."""
    try:
        read(entries)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = "Nothing is refused."
    assert is_sentence(refusal), refusal


@many
@given(permissions)
def test_every_source_is_a_rule_or_malformed(fields: dict[str, Any]) -> None:
    """Each source gives a rule or a malformed one, or one malformed rule stands for all of them."""
    read = parse.parse_security_group(answer(fields))
    values = [fields[key] for key in SOURCES if fields.get(key) is not None]
    entries = sum(len(value) if isinstance(value, list) else 1 for value in values)
    about_all = (len(read.rules), len(read.malformed)) == (0, 1)
    assert about_all or len(read.rules) + len(read.malformed) == entries


@many
@given(st.lists(st.tuples(groups, odd_texts), max_size=3))
def test_every_report_can_be_sent_and_stored(answers: list[tuple[dict[str, Any], str]]) -> None:
    """The report on any groups has a JSON, a text and an HTML form."""
    check_forms(audited(*(group | {"GroupId": odd or "sg-1"} for group, odd in answers)))


@many
@given(
    permissions, junk, st.sampled_from([("0.0.0.0/0", "ipv4"), ("::/0", "ipv6"), ("pl-1", "ipv6")])
)
def test_no_malformed_value_hides_an_open_port(
    before: dict[str, Any], odd: Any, source: tuple[str, str]
) -> None:
    """A valid rule open to the internet is reported, whatever values are beside it."""
    opened = permission("tcp", 22, 22, source[0])
    beside = {key: [odd, *opened[key], odd] for key in SOURCES}
    findings = report_to_json(audited(answer(odd, before, opened | beside, odd)))["findings"]
    assert any(opens_ssh(finding, source[1]) for finding in findings)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(MISSING, id="missing"),
        pytest.param(None, id="null"),
        pytest.param(True, id="boolean"),
        pytest.param(-1, id="minus-one"),
        pytest.param(22.5, id="fraction"),
        pytest.param(float("nan"), id="not-a-number"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param(10**4000, id="huge-number"),
        pytest.param("", id="empty-text"),
        pytest.param("x" * 100_000, id="long-text"),
        pytest.param("\ud800", id="half-a-pair"),
        pytest.param("\x1b[2J\r\n\x00", id="control-characters"),
        pytest.param("\u202e<x-fuzz>", id="mark-up"),
        pytest.param("pl-1", id="prefix-list"),
        pytest.param([], id="empty-list"),
        pytest.param({}, id="empty-object"),
        pytest.param(nested(5000, 1), id="deep"),
        pytest.param(nested(6, 6), id="deep-and-broad"),
        pytest.param({"x" * 1000: {"\ud800": [float("nan")]}}, id="odd-object"),
    ],
)
@pytest.mark.parametrize("ports", [(22, 22), (0, 65_535)])
def test_no_value_in_any_place_hides_other_rules(odd: object, ports: tuple[int, int]) -> None:
    """With any value anywhere in one permission, the next permission is still reported."""
    opened = permission("tcp", 22, 22, "0.0.0.0/0")
    whole = answer(permission("tcp", *ports, "9.9.9.9/32", "2600::/16", "pl-2"), opened)
    spots = [place for place in places(whole) if place[:2] != ("IpPermissions", 1)]
    spots = [place for place in spots if place not in {("GroupId",), ("IpPermissions",)}]
    damaged = [
        {**planted(whole, place, odd), "GroupId": f"sg-{number}"}
        for number, place in enumerate(spots)
    ]
    report = audited(*damaged)
    check_forms(report)
    findings = report_to_json(report)["findings"]
    open_groups = {finding["groupId"] for finding in findings if opens_ssh(finding, "ipv4")}
    assert open_groups == {group["GroupId"] for group in damaged}
    reasons = [
        malformed.reason
        for group in damaged
        for malformed in parse.parse_security_group(group).malformed
    ]
    assert all(map(is_sentence, reasons)), max(reasons, key=len)[:1000]
