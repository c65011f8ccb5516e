"""CloudTrail's event history: what was called, by whom, and how it is looked up."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
SSH = {
    "IpProtocol": "tcp",
    "FromPort": 22,
    "ToPort": 22,
    "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
}


@pytest.fixture(autouse=True)
def _at_six(account: Account) -> None:
    account.history.now = lambda: NOW


def key_of(account: Account, name: str) -> str:
    """The access key of a new IAM user."""
    iam = account.client("iam")
    iam.create_user(UserName=name)
    key: str = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    return key


def open_ssh(account: Account, *callers: str, region: str = "eu-west-1") -> str:
    """A group in which each caller opens SSH, the port after it, and so on; its id."""
    group_id: str = account.client("ec2", region).create_security_group(
        GroupName="web", Description="web"
    )["GroupId"]
    for port, caller in enumerate(callers, 22):
        account.client("ec2", region, key=caller).authorize_security_group_ingress(
            GroupId=group_id, IpPermissions=[SSH | {"FromPort": port, "ToPort": port}]
        )
    return group_id


def look_up(account: Account, name: str, **more: Any) -> tuple[list[dict[str, Any]], str | None]:
    """The records of a page, and the token of the next one."""
    attributes = [{"AttributeKey": "EventName", "AttributeValue": name}]
    page = account.client("cloudtrail").lookup_events(LookupAttributes=attributes, **more)
    events = page["Events"]
    return [json.loads(event["CloudTrailEvent"]) for event in events], page.get("NextToken")


def test_a_call_is_recorded_with_its_caller_and_rules(account: Account) -> None:
    """The record has the ids of the rules that EC2 answered."""
    group_id = open_ssh(account, key_of(account, "alice"))
    ((record,), token) = look_up(account, "AuthorizeSecurityGroupIngress")
    rules = account.client("ec2").describe_security_group_rules()["SecurityGroupRules"]
    (rule,) = (rule for rule in rules if rule["GroupId"] == group_id and not rule["IsEgress"])
    (item,) = record["responseElements"]["securityGroupRuleSet"]["items"]
    assert item["securityGroupRuleId"] == rule["SecurityGroupRuleId"]
    assert item["cidrIpv4"] == "0.0.0.0/0"
    assert record["requestParameters"]["groupId"] == group_id
    assert record["userIdentity"]["userName"] == "alice"
    assert record["eventTime"] == "2026-11-23T06:00:00Z"
    assert token is None


def test_a_role_is_recorded_with_its_session(account: Account) -> None:
    """The name of the session is whatever its caller chose."""
    iam = account.client("iam")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    allowed = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    arn = iam.create_role(RoleName="Deploy", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="Deploy", PolicyName="ec2", PolicyDocument=policy)
    session = account.client("sts").assume_role(RoleArn=arn, RoleSessionName="alice")
    open_ssh(account, session["Credentials"]["AccessKeyId"])
    ((record,), _) = look_up(account, "AuthorizeSecurityGroupIngress")
    identity = record["userIdentity"]
    assert identity["arn"] == "arn:aws:sts::123456789012:assumed-role/Deploy/alice"
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == "Deploy"


def test_newer_calls_keep_their_capitals(account: Account) -> None:
    """A list of one rule is an object below the name of the request."""
    open_ssh(account, "AKIAOWNER")
    rules = account.client("ec2").describe_security_group_rules()["SecurityGroupRules"]
    (rule,) = (rule for rule in rules if rule.get("FromPort") == 22)
    update = {
        "SecurityGroupRuleId": rule["SecurityGroupRuleId"],
        "SecurityGroupRule": {
            "IpProtocol": "tcp",
            "FromPort": 23,
            "ToPort": 23,
            "CidrIpv4": "0.0.0.0/0",
        },
    }
    account.client("ec2").modify_security_group_rules(
        GroupId=rule["GroupId"], SecurityGroupRules=[update]
    )
    ((record,), _) = look_up(account, "ModifySecurityGroupRules")
    assert record["requestParameters"] == {
        "ModifySecurityGroupRulesRequest": {
            "GroupId": rule["GroupId"],
            "SecurityGroupRule": update | {"tag": 1},
        }
    }


def test_a_rejected_call_has_an_error_code(account: Account) -> None:
    """EC2's code follows the word Client."""
    with pytest.raises(ClientError):
        account.client("ec2").authorize_security_group_ingress(
            GroupId="sg-missing", IpPermissions=[SSH]
        )
    ((record,), _) = look_up(account, "AuthorizeSecurityGroupIngress")
    assert record["errorCode"] == "Client.InvalidGroup.NotFound"
    assert record["responseElements"] is None


def test_the_latest_events_come_first_and_in_pages(account: Account) -> None:
    """A token leads to the next page; each region has its own events."""
    open_ssh(account, *(key_of(account, name) for name in ("alice", "bob", "carol")))
    open_ssh(account, key_of(account, "dave"), region="us-east-1")
    first, token = look_up(account, "AuthorizeSecurityGroupIngress", MaxResults=2)
    second, end = look_up(account, "AuthorizeSecurityGroupIngress", MaxResults=2, NextToken=token)
    names = [record["userIdentity"]["userName"] for record in (*first, *second)]
    assert (names, end) == (["carol", "bob", "alice"], None)


def test_events_of_90_days_are_kept(account: Account) -> None:
    """What is older than the start that is asked for, or than 90 days, is left out."""
    open_ssh(account, "AKIAOWNER")
    account.history.now = lambda: NOW + timedelta(days=1)
    assert look_up(account, "AuthorizeSecurityGroupIngress")[0]
    assert not look_up(account, "AuthorizeSecurityGroupIngress", StartTime=NOW + timedelta(1))[0]
    account.history.now = lambda: NOW + timedelta(days=91)
    assert not look_up(account, "AuthorizeSecurityGroupIngress")[0]


def test_two_requests_a_second_are_answered(account: Account) -> None:
    """The third is throttled; half a second later there is room for another one."""
    for _ in range(2):
        look_up(account, "CreateSecurityGroup")
    with pytest.raises(ClientError, match="ThrottlingException"):
        look_up(account, "CreateSecurityGroup")
    account.history.now = lambda: NOW + timedelta(seconds=0.5)
    look_up(account, "CreateSecurityGroup")
