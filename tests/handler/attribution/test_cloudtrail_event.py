"""The documented forms of CloudTrail's records."""

import json
from typing import Any

import pytest

from handler.attribution.cloudtrail_event import (
    INTERFACE_CALLS,
    PREFIX_LIST_CALLS,
    RULE_CALLS,
    ApiCall,
    ChangedRule,
    parse_record,
)
from handler.model.network import Target
from handler.model.opened_by import Actor, ActorKind
from handler.model.traffic import Traffic
from infra.triggers import OPENING_CALLS
from tests.support.cloudtrail import (
    ACCOUNT,
    WORLD,
    assign_ipv6,
    associate_address,
    attach,
    authorize,
    iam_user,
    modify,
    modify_list,
    record,
    restore_list,
    rule,
    update,
)
from tests.support.documents import ODD_VALUES, changed, places

SSH = Traffic("tcp", 22, 22)
ENTRY = {"Cidr": WORLD, "tag": 1}
TWO = {"ipProtocol": "icmp", "fromPort": -1, "toPort": -1}


def test_a_record_has_id_place_time_and_actor() -> None:
    """The time is UTC in ISO 8601; the user agent is not kept, because it proves nothing."""
    assert parse_record(authorize(rule())) == ApiCall(
        id="5a4db0c5-2222-4000-8000-000000000000",
        name="AuthorizeSecurityGroupIngress",
        target=Target(ACCOUNT, "eu-west-1"),
        at="2026-11-23T05:58:00Z",
        actor=Actor(ActorKind.IAM_USER, "IAM user alice", "alice"),
        source_address="203.0.113.9",
        rules=(ChangedRule("sgr-1", SSH, WORLD),),
    )


@pytest.mark.parametrize(
    ("document", "rules"),
    [
        pytest.param(
            authorize(rule(source="::/0")),
            [ChangedRule("sgr-1", SSH, "::/0")],
            id="ipv6",
        ),
        pytest.param(
            authorize(rule(source="pl-1")),
            [ChangedRule("sgr-1", SSH, "pl-1")],
            id="prefix-list",
        ),
        pytest.param(
            authorize(rule(), group={"groupName": "default"}),
            [ChangedRule("sgr-1", SSH, WORLD)],
            id="group-by-name",
        ),
        pytest.param(
            authorize(rule(), rule("sgr-2", "::/0", 80, 443), rule("sgr-3", "10.0.0.0/8") | TWO),
            [
                ChangedRule("sgr-1", SSH, WORLD),
                ChangedRule("sgr-2", Traffic("tcp", 80, 443), "::/0"),
                ChangedRule("sgr-3", Traffic("icmp"), "10.0.0.0/8"),
            ],
            id="several-permissions",
        ),
        pytest.param(
            authorize(rule(), {k: v for k, v in rule("sgr-2").items() if k != "cidrIpv4"}),
            [ChangedRule("sgr-1", SSH, WORLD)],
            id="one-from-another-group",
        ),
        pytest.param(
            authorize(rule(), identity=iam_user() | {"invokedBy": "cloudformation.amazonaws.com"}),
            [ChangedRule("sgr-1", SSH, WORLD)],
            id="cloudformation",
        ),
        pytest.param(
            modify(update()),
            [ChangedRule("sgr-1", SSH, WORLD)],
            id="modify-one",
        ),
        pytest.param(
            modify([update(), update("sgr-2", "::/0") | {"tag": 2}]),
            [ChangedRule("sgr-1", SSH, WORLD), ChangedRule("sgr-2", SSH, "::/0")],
            id="modify-a-list",
        ),
        pytest.param(
            modify(update(IpProtocol="-1", FromPort=-1, ToPort=-1)),
            [ChangedRule("sgr-1", Traffic("all"), WORLD)],
            id="modify-to-all-traffic",
        ),
    ],
)
def test_rules_have_the_ids_and_values_of_the_call(
    document: dict[str, Any], rules: list[ChangedRule]
) -> None:
    """Console, CLI, SDK and CloudFormation are recorded alike; groups as sources are left out."""
    call = parse_record(document)
    assert call is not None
    assert list(call.rules) == rules


@pytest.mark.parametrize(
    ("document", "changed"),
    [
        pytest.param(modify_list(AddEntry=ENTRY), ("pl-1", None, ()), id="add-to-a-list"),
        pytest.param(
            modify_list(AddEntry=[ENTRY, ENTRY]), ("pl-1", None, ()), id="add-several-to-a-list"
        ),
        pytest.param(restore_list(), ("pl-1", None, ()), id="restore-a-list"),
        pytest.param(attach("eni-1", "sg-1"), (None, "eni-1", ("sg-1",)), id="interface"),
        pytest.param(attach("i-1", "sg-1", "sg-2"), (None, "i-1", ("sg-1", "sg-2")), id="instance"),
    ],
)
def test_lists_and_interfaces_have_their_ids(
    document: dict[str, Any], changed: tuple[str | None, str | None, tuple[str, ...]]
) -> None:
    """A list is named by its id, an interface or instance by its own and those of its groups."""
    call = parse_record(document)
    assert call is not None
    assert (call.prefix_list, call.holder, call.group_ids) == changed


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(authorize(rule(), errorCode="Client.UnauthorizedOperation"), id="rejected"),
        pytest.param(authorize(rule(), errorCode="Client.DryRunOperation"), id="dry-run"),
        pytest.param(
            record("AuthorizeSecurityGroupIngress", {"groupId": "sg-1"}, {"_return": True}),
            id="without-rule-ids",
        ),
        pytest.param(authorize(rule(isEgress=True)), id="outbound"),
        pytest.param(modify(update(source="somewhere")), id="no-cidr"),
        pytest.param(modify(update(FromPort=True, ToPort=22)), id="no-port"),
        pytest.param(modify_list(RemoveEntry=ENTRY), id="removed-from-a-list"),
        pytest.param(modify_list(PrefixListName="offices"), id="renamed-list"),
        pytest.param(
            record(
                "ModifyInstanceAttribute",
                {"instanceId": "i-1", "attribute": "disableApiTermination"},
                {"_return": True},
            ),
            id="another-attribute",
        ),
        pytest.param(associate_address(), id="address"),
        pytest.param(assign_ipv6(), id="ipv6-address"),
        pytest.param(
            record("CreateSecurityGroup", {"groupName": "web"}, {"groupId": "sg-1"}),
            id="another-call",
        ),
        pytest.param(authorize(rule(), eventTime="yesterday"), id="no-time"),
        pytest.param(authorize(rule(), eventTime="0001-01-01T00:00:00Z"), id="first-year"),
        pytest.param(authorize(rule(), eventTime="9999-12-31T23:59:59Z"), id="last-year"),
        pytest.param({}, id="empty"),
        pytest.param(None, id="nothing"),
    ],
)
def test_what_opens_nothing_is_no_call(document: object) -> None:
    """Rejected calls and dry runs have an error code; an id that is not there is not guessed."""
    assert parse_record(document) is None


def test_the_calls_that_open_something_start_a_run() -> None:
    """So do those that assign an address: they make worse what is open already."""
    read = {*RULE_CALLS, *PREFIX_LIST_CALLS, *INTERFACE_CALLS}
    assert {*OPENING_CALLS} - read == {"AssignIpv6Addresses", "AssociateAddress"}
    assert read <= {*OPENING_CALLS}


@pytest.mark.parametrize(
    "document",
    [authorize(rule()), modify([update()]), modify_list(AddEntry=ENTRY), attach("eni-1", "sg-1")],
    ids=["authorize", "modify", "list", "interface"],
)
def test_any_value_in_any_field_is_read_or_left_out(document: dict[str, Any]) -> None:
    """Nothing is raised, and what is read can be encoded and fits on a line."""
    for place in places(document):
        for odd in ODD_VALUES:
            call = parse_record(changed(document, place, odd))
            text = call.actor.principal if call else ""
            assert json.dumps(text).encode()
            assert text.isprintable()
