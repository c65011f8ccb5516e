"""From a change to the mail: in any region, with who made it, and few mails for many changes."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from tests.end_to_end.conftest import Deployed, Installer
from tests.support.stack import text_of, unwrapped

REGIONS = ["eu-west-1", "us-east-1"]


@pytest.fixture
def deployed(install: Installer[Deployed]) -> Deployed:
    """A stack that is told of changes in two regions, after its first run."""
    deployed = install(regions=REGIONS, realtime=True)
    deployed.run()
    return deployed


def caller(deployed: Deployed, name: str) -> str:
    """The access key of an IAM user of that name."""
    iam = deployed.account.client("iam")
    if name not in {user["UserName"] for user in iam.list_users()["Users"]}:
        iam.create_user(UserName=name)
    key: str = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    return key


def open_group(deployed: Deployed, name: str, who: str, region: str, port: int = 22) -> str:
    """Open a port to the internet in a new group; the result is its id."""
    ec2 = deployed.account.client("ec2", region, key=who)
    group_id: str = ec2.create_security_group(GroupName=name, Description="x")["GroupId"]
    allow(deployed, group_id, who, region, port)
    return group_id


def allow(deployed: Deployed, group_id: str, who: str, region: str, port: int) -> None:
    """Open a port to the internet in a group."""
    ec2 = deployed.account.client("ec2", region, key=who)
    ec2.authorize_security_group_ingress(
        GroupId=group_id, IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp="0.0.0.0/0"
    )


def last_events(deployed: Deployed, number: int = 1) -> Iterable[dict[str, Any]]:
    """The last calls as EventBridge delivers them."""
    history = deployed.account.history
    return [history.event(record) for record in history.records[-number:]]


def test_a_change_in_another_region_is_mailed_with_who_made_it(deployed: Deployed) -> None:
    """The event is forwarded to the function's region, and nothing is looked up."""
    open_group(deployed, "bastion", caller(deployed, "alice"), "us-east-1")
    (event,) = last_events(deployed)
    to_bus, to_function = deployed.account.events.deliver(event, "us-east-1")
    assert (to_bus.reason, to_function.reason) == (None, None)
    mail = deployed.mails()[-1]
    assert str(mail.message["Subject"]).startswith("[dev] New")
    text = unwrapped(text_of(mail.message))
    assert "bastion" in text
    assert "opened by: IAM user alice, " in text
    calls = {call.operation for call in deployed.account.calls if call.caller == deployed.caller}
    assert "LookupEvents" not in calls


@pytest.mark.parametrize("still_open", [False, True], ids=["closed-again", "private-range"])
def test_a_harmless_change_is_not_mailed(deployed: Deployed, *, still_open: bool) -> None:
    """An opening that is closed when its event arrives, and one to private addresses."""
    ec2 = deployed.account.client("ec2", "us-east-1")
    group_id = ec2.create_security_group(GroupName=f"calm-{still_open}", Description="x")["GroupId"]
    cidr = "10.0.0.0/8" if still_open else "0.0.0.0/0"
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": cidr}]}
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[permission])
    (event,) = last_events(deployed)
    if not still_open:
        ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=[permission])
    before = len(deployed.mails())
    deliveries = deployed.account.events.deliver(event, "us-east-1")
    assert [i.error for delivery in deliveries for i in delivery.invocations] == [None]
    assert len(deployed.mails()) == before


@pytest.mark.parametrize("name", ["=1+1", "@SUM,1", "-1-cmd.exe"])
def test_names_that_look_like_formulas_stay_text(deployed: Deployed, name: str) -> None:
    """IAM allows them; no cell of the CSV begins with one."""
    open_group(deployed, f"bastion{name}", caller(deployed, name), "us-east-1")
    (event,) = last_events(deployed)
    deployed.account.events.deliver(event, "us-east-1")
    message = deployed.mails()[-1].message
    assert f"opened by: IAM user {name}, " in unwrapped(text_of(message))
    (csv,) = (part for part in message.walk() if part.get_content_type() == "text/csv")
    assert f"IAM user {name}, " in csv.get_content()


def test_a_hundred_changes_are_two_mails_at_most(deployed: Deployed) -> None:
    """100 changes of 30 groups in two regions: each opening is in one mail, and no run fails."""
    who = caller(deployed, "alice")
    groups = [
        (open_group(deployed, f"burst-{number}", who, REGIONS[number % 2]), REGIONS[number % 2])
        for number in range(30)
    ]
    for number in range(70):
        group_id, region = groups[number % 30]
        allow(deployed, group_id, who, region, 3000 + number)
    records = deployed.account.history.records
    opened = [r for r in records if r["eventName"] == "AuthorizeSecurityGroupIngress"][-100:]
    before = len(deployed.mails())
    for record in opened:
        entry = {
            "Source": "aws.ec2",
            "DetailType": "AWS API Call via CloudTrail",
            "Detail": json.dumps(record),
        }
        deployed.account.client("events", record["awsRegion"]).put_events(Entries=[entry])
    deployed.account.functions.wait(timeout=240)
    texts = [text_of(mail.message) for mail in deployed.mails()[before:]]
    assert 1 <= len(texts) <= 2
    assert [line for line in deployed.log() if line["level"] == "ERROR"] == []
