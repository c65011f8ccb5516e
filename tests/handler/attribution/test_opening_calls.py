"""Which of several calls opened a finding."""

from typing import Any

import pytest

from handler.attribution.cloudtrail_event import ApiCall, parse_record
from handler.attribution.opening_calls import OpeningCalls, is_sought
from handler.model.finding import Change, Finding, Kind, Severity, Status
from handler.model.network import Rule, Target
from handler.model.opened_by import Actor, ActorKind, Means, NotAttributed, OpenedBy
from handler.model.reach import Reach
from handler.model.traffic import Traffic
from tests.support.cloudtrail import (
    ACCOUNT,
    OTHER_ACCOUNT,
    Record,
    attach,
    authorize,
    iam_user,
    modify,
    modify_list,
    rule,
    update,
)
from tests.support.openers import NOT_READ

ENTRY = {"Cidr": "0.0.0.0/0", "tag": 1}
OFFICE = "203.0.113.0/24"
SSH = Finding(
    id="1",
    kind=Kind.EXPOSURE,
    severity=Severity.CRITICAL,
    target=Target(ACCOUNT, "eu-west-1"),
    group_id="sg-1",
    group_name="web",
    vpc_id="vpc-1",
    traffic=Traffic("tcp", 22, 22),
    service="SSH",
    reach=Reach.WORLD,
    rules=(Rule("sg-1", Traffic("tcp", 22, 22), "0.0.0.0/0"),),
    rule_ids=("sgr-1",),
    status=Status.NEW,
)
JOINT = SSH._replace(
    kind=Kind.JOINT,
    group_ids=("sg-1", "sg-2"),
    group_names=("web", "all"),
    holders=("eni-1", "i-1"),
)
LIST = SSH._replace(rules=(Rule("sg-1", SSH.traffic, "pl-1"),), prefix_lists=("pl-1",))


def opening(*sources: str) -> Finding:
    """SSH open to these sources, with a rule for each: sgr-1, sgr-2 and so on."""
    rules = tuple(Rule("sg-1", SSH.traffic, source) for source in sources)
    return SSH._replace(rules=rules, rule_ids=tuple(f"sgr-{n + 1}" for n in range(len(rules))))


def call(document: Record, who: str = "alice", at: str = "05:58", **fields: Any) -> ApiCall:
    """The call of a record that somebody made at a time of 23 November."""
    identity = {"userIdentity": iam_user(who)}
    time = {"eventTime": f"2026-11-23T{at}:00Z", "eventID": f"{who}-{at}"}
    parsed = parse_record({**document, **identity, **time, **fields})
    assert parsed is not None
    return parsed


def opened(finding: Finding, *calls: ApiCall) -> tuple[str, int, Means] | None:
    """Who opened the finding, how many others, and by what."""
    opened_by = OpeningCalls(calls).opener_of(finding)
    return (str(opened_by.actor.name), opened_by.others, opened_by.means) if opened_by else None


def test_an_opener_is_the_call_with_its_time_address_and_id() -> None:
    """The event's id leads to the whole record in CloudTrail."""
    assert OpeningCalls([call(authorize(rule()))]).opener_of(SSH) == OpenedBy(
        Actor(ActorKind.IAM_USER, "IAM user alice", "alice"),
        "2026-11-23T05:58:00Z",
        "alice-05:58",
        "203.0.113.9",
    )


ALICE = ("alice", 0, Means.RULE)
BOB = ("bob", 0, Means.RULE)
BY_ATTACHING = ("alice", 0, Means.INTERFACE)
OPENED = call(authorize(rule()))


def bob(document: Record) -> ApiCall:
    """The same call by bob, two minutes later."""
    return call(document, "bob", "06:00")


def case(
    name: str, expected: tuple[str, int, Means] | None, finding: Finding, *calls: ApiCall
) -> Any:
    """Who opened the finding, of those who made the calls."""
    return pytest.param(finding, calls, expected, id=name)


@pytest.mark.parametrize(
    ("finding", "calls", "expected"),
    [
        case("no-call", None, SSH),
        case("another-rule", None, SSH, call(authorize(rule("sgr-2")))),
        case("another-region", None, SSH, call(authorize(rule()), awsRegion="us-east-1")),
        case(
            "another-account", None, SSH, call(authorize(rule()), recipientAccountId=OTHER_ACCOUNT)
        ),
        case("same-port-another-source", ALICE, SSH, OPENED, bob(authorize(rule("sgr-2", OFFICE)))),
        case(
            "revoked-and-authorized-again",
            BOB,
            SSH._replace(rule_ids=("sgr-2",)),
            OPENED,
            bob(authorize(rule("sgr-2"))),
        ),
        case(
            "narrow-then-made-wide",
            BOB,
            SSH,
            call(authorize(rule(source=OFFICE))),
            bob(modify(update())),
        ),
        case("wide-then-described", ALICE, SSH, OPENED, bob(modify(update(Description="ssh")))),
        case(
            "wide-narrow-wide",
            ("carol", 0, Means.RULE),
            SSH,
            call(authorize(rule()), "alice", "05:50"),
            call(modify(update(source=OFFICE)), "bob", "05:55"),
            call(modify(update()), "carol", "06:00"),
        ),
        case(
            "not-with-the-values-as-they-are-now",
            None,
            SSH,
            OPENED,
            bob(modify(update(source=OFFICE))),
        ),
        case("same-rule-another-port", None, SSH, call(modify(update(low=443, high=443)))),
        case(
            "values-not-as-ec2-keeps-them",
            ALICE,
            SSH,
            call(modify(update(source="1.2.3.4/0", IpProtocol="6"))),
        ),
        case(
            "two-ports-beside-each-other",
            ("bob", 1, Means.RULE),
            SSH._replace(traffic=Traffic("tcp", 22, 23), rule_ids=("sgr-1", "sgr-2")),
            OPENED,
            bob(authorize(rule("sgr-2", low=23, high=23))),
        ),
        case(
            "two-people-opened-it-together",
            ("bob", 1, Means.RULE),
            opening("0.0.0.0/1", "128.0.0.0/1"),
            call(authorize(rule(source="0.0.0.0/1"))),
            bob(authorize(rule("sgr-2", "128.0.0.0/1"))),
        ),
        case(
            "the-same-person-twice",
            ALICE,
            opening("0.0.0.0/1", "128.0.0.0/1"),
            call(authorize(rule(source="0.0.0.0/1"))),
            call(authorize(rule("sgr-2", "128.0.0.0/1")), "alice", "06:00"),
        ),
        case(
            "prefix-list", ("alice", 0, Means.PREFIX_LIST), LIST, call(modify_list(AddEntry=ENTRY))
        ),
        case("another-list", None, LIST, call(modify_list("pl-2", AddEntry=ENTRY))),
        case(
            "a-list-and-then-a-rule-with-it",
            ("alice", 1, Means.RULE),
            LIST,
            call(authorize(rule(source="pl-1"))),
            call(modify_list(AddEntry=ENTRY), "bob", "05:00"),
        ),
        case(
            "attaching-opens-nothing-of-one-group",
            None,
            SSH._replace(holders=JOINT.holders),
            call(attach("eni-1", "sg-1")),
        ),
        case("on-interface", BY_ATTACHING, JOINT, call(attach("eni-1", "sg-1", "sg-9", "sg-2"))),
        case("on-an-instance", BY_ATTACHING, JOINT, call(attach("i-1", "sg-1", "sg-2"))),
        case("another-instance", None, JOINT, call(attach("i-10", "sg-1", "sg-2"))),
        case("only-one-of-the-groups", None, JOINT, call(attach("eni-1", "sg-1"))),
        case(
            "attached-and-then-to-another-group-too",
            BY_ATTACHING,
            JOINT,
            call(attach("eni-1", "sg-1", "sg-2")),
            bob(attach("eni-1", "sg-1", "sg-2", "sg-9")),
        ),
        case(
            "attached-and-detached",
            None,
            JOINT,
            call(attach("eni-1", "sg-1", "sg-2")),
            bob(attach("eni-1", "sg-1")),
        ),
        case(
            "groups-that-open-it-together",
            ("bob", 1, Means.INTERFACE),
            JOINT,
            OPENED,
            bob(attach("eni-1", "sg-1", "sg-2")),
        ),
        case(
            "attaching-widens-nothing",
            None,
            JOINT._replace(status=Status.OPEN, change=Change.WIDENED),
            call(attach("eni-1", "sg-1", "sg-2")),
        ),
        case(
            "the-last-of-many-rules",
            ALICE,
            opening(*(f"9.{n}.0.0/16" for n in range(16)), "128.0.0.0/1"),
            call(authorize(rule("sgr-17", "128.0.0.0/1"))),
        ),
    ],
)
def test_the_opener_is_found_by_ids(
    finding: Finding, calls: tuple[ApiCall, ...], expected: tuple[str, int, Means] | None
) -> None:
    """The latest call that gave a rule its values; the same with the calls in another order."""
    assert opened(finding, *calls) == expected
    assert opened(finding, *reversed(calls)) == expected


@pytest.mark.parametrize(
    ("fields", "sought"),
    [
        pytest.param({}, True, id="new"),
        pytest.param({"status": Status.REOPENED}, True, id="reopened"),
        pytest.param({"status": Status.OPEN, "change": Change.WIDENED}, True, id="widened"),
        pytest.param({"status": Status.OPEN, "change": Change.WORSENED}, False, id="worse"),
        pytest.param(
            {"status": Status.REOPENED, "origins": ("1",)}, False, id="accepted-until-now"
        ),
        pytest.param({"status": Status.OPEN}, False, id="open"),
        pytest.param({"status": Status.EXCEPTED}, False, id="accepted"),
        pytest.param({"rule_ids": ()}, False, id="rule-ids-not-read"),
        pytest.param(
            {"status": Status.UNVERIFIED, "opened_by": NotAttributed("2026-11-22T06:00:00Z")},
            False,
            id="not-read-this-time",
        ),
        pytest.param(
            {"status": Status.OPEN, "opened_by": NotAttributed("2026-11-22T06:00:00Z", 1)},
            True,
            id="not-found-once",
        ),
        pytest.param(
            {"status": Status.OPEN, "opened_by": NotAttributed("2026-11-22T06:00:00Z", 2)},
            False,
            id="not-found-twice",
        ),
        pytest.param(
            {"status": Status.OPEN, "opened_by": NOT_READ._replace(tries=9)},
            True,
            id="not-read-nine-times",
        ),
        pytest.param(
            {"status": Status.OPEN, "opened_by": NOT_READ._replace(tries=10)},
            False,
            id="not-read-ten-times",
        ),
        pytest.param(
            {"opened_by": OpeningCalls([call(authorize(rule()))]).opener_of(SSH)}, False, id="known"
        ),
    ],
)
def test_what_has_opened_is_asked_for_until_it_is_known(
    fields: dict[str, Any], *, sought: bool
) -> None:
    """What was not found is asked for in two runs, what was not read in ten."""
    assert is_sought(SSH._replace(**fields)) is sought
