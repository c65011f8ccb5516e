"""What goes wrong around the deployed zip: each fault is mailed, kept, failed and logged."""

import json
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import Any

import pytest
from moto.s3.models import s3_backends

from handler.ledger.bucket_store import HEAD_KEY
from handler.ledger.state import LedgerState
from sandbox.aws.faults import Fault
from tests.end_to_end.conftest import Deployed, Installer
from tests.support.ledger import state_in
from tests.support.stack import unwrapped

DENIED = "UnauthorizedOperation: You are not authorized"
NOTHING = frozenset[str]()


@dataclass(frozen=True)
class Expected:
    """What a run leaves: mails, the reason in the mail and in the error, and what is known."""

    phrase: str
    mails: int = 1
    error: str = "AuditIncompleteError"
    committed: bool = True
    unread: frozenset[str] = NOTHING


def ec2(code: str, message: str = "No.", status: int = 403, **more: Any) -> Fault:
    """A fault of DescribeSecurityGroups in us-east-1."""
    return Fault(
        "DescribeSecurityGroups",
        region="us-east-1",
        code=code or None,
        message=message,
        status=status,
        **more,
    )


def s3(operation: str, code: str = "AccessDenied", status: int = 403) -> Fault:
    """A fault of the ledger's bucket."""
    return Fault(operation, code=code, message="No.", status=status)


ONE = frozenset({"us-east-1"})


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(
            ec2("UnauthorizedOperation", "You are not authorized to do that."),
            Expected(DENIED, unread=ONE),
            id="denied",
        ),
        pytest.param(ec2("OptInRequired"), Expected("OptInRequired: No.", unread=ONE), id="opt-in"),
        pytest.param(
            ec2("RequestLimitExceeded", status=503),
            Expected("RequestLimitExceeded: No.", unread=ONE),
            id="throttled-to-the-end",
        ),
        pytest.param(
            ec2("", drop=True), Expected("Connection was closed", unread=ONE), id="cut-off"
        ),
        pytest.param(
            ec2("", garble=True), Expected("invalid XML received", unread=ONE), id="malformed"
        ),
        pytest.param(
            ec2("InternalError", status=500), Expected("InternalError", unread=ONE), id="broken"
        ),
        pytest.param(
            Fault(
                "DescribeNetworkInterfaces",
                region="us-east-1",
                code="UnauthorizedOperation",
                message="No.",
                status=403,
            ),
            Expected("UnauthorizedOperation: No.", unread=ONE),
            id="interfaces-denied",
        ),
        pytest.param(
            Fault(
                "GetManagedPrefixListEntries",
                code="UnauthorizedOperation",
                message="No.",
                status=403,
            ),
            Expected("could not be read: UnauthorizedOperation: No."),
            id="prefix-list-denied",
        ),
        pytest.param(
            s3("GetObject"),
            Expected("The ledger could not be read: AccessDenied", committed=False),
            id="ledger-unreadable",
        ),
        pytest.param(
            s3("PutObject"),
            Expected("The ledger could not be written: AccessDenied", committed=False),
            id="ledger-read-only",
        ),
        pytest.param(
            s3("PutObject", "SlowDown", 503),
            Expected("The ledger could not be written: SlowDown", committed=False),
            id="ledger-throttled",
        ),
        pytest.param(
            Fault("SendEmail", code="MessageRejected", message="Email address is not verified."),
            Expected("Follow the link", mails=0, error="MailError", committed=False),
            id="mail-unverified",
        ),
        pytest.param(
            Fault("SendEmail", code="TooManyRequestsException", message="Rate.", status=429),
            Expected("ask AWS for a higher", mails=0, error="MailError", committed=False),
            id="mail-throttled",
        ),
        pytest.param(
            Fault("SendEmail", code="LimitExceededException", message="Daily quota."),
            Expected("ask AWS to raise it", mails=0, error="MailError", committed=False),
            id="mail-quota",
        ),
        # These two need settings of their own; the others share one stack.
        pytest.param(
            ec2("", delay=inf),
            Expected("the run reached its time limit", unread=ONE),
            id="timed-out",
        ),
        pytest.param(
            Fault("DescribeRegions", code="UnauthorizedOperation", message="No.", status=403),
            Expected("UnauthorizedOperation: No.", unread=frozenset({"all"})),
            id="regions-denied",
        ),
    ],
)
def test_a_fault_is_seen_everywhere(
    install: Installer[Deployed], fault: Fault, expected: Expected
) -> None:
    """In the mail, the ledger, the error and the log; what is not concerned is not affected."""
    everywhere = fault.operation == "DescribeRegions"
    regions = ["all"] if everywhere else ["eu-west-1", "us-east-1"]
    deployed = install(regions=regions, timeout=6 if fault.delay else 30)
    deployed.account.faults.add(fault)
    functions = deployed.account.functions
    event = json.dumps({"notify": "changes"}).encode()
    result = functions.invoke("eu-west-1", deployed.outputs["functionName"], event)
    deployed.account.faults.clear()

    failure = json.loads(result.payload)
    assert (failure.get("errorType"), result.error) == (expected.error, "Unhandled"), failure
    assert expected.phrase in failure["errorMessage"]
    mails = deployed.mails()
    assert len(mails) == expected.mails
    if mails:
        text = " ".join(deployed.text().split())
        assert expected.phrase in text
        # What happened in one region takes nothing from another one.
        assert "all" in expected.unread or "bastion (sg-" in text
    state = ledger(deployed)
    assert bool(state.runs) is expected.committed
    unread_targets = {t.region for t, target in state.targets.items() if target.status != "ok"}
    assert unread_targets == expected.unread
    lines = deployed.log()
    unread = {line["region"] for line in lines if line["message"] == "Target not read."}
    assert unread == expected.unread
    assert any(line["message"] == "Audit finished." for line in lines) is bool(mails)


def ledger(deployed: Deployed) -> LedgerState:
    """What the ledger holds; nothing before the first run."""
    s3_client = deployed.account.client("s3")
    bucket = deployed.outputs["ledgerBucket"]

    def stored(key: str) -> bytes:
        body: bytes = s3_client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    listed = s3_client.list_objects_v2(Bucket=bucket).get("Contents", ())
    if HEAD_KEY not in [item["Key"] for item in listed]:
        return LedgerState()
    return state_in(stored)


def test_a_run_that_lambda_ends_loses_nothing(install: Installer[Deployed]) -> None:
    """Ended while SES does not answer, it may have mailed; a run a minute later mails and says so.

    Tries before that fail without a mail.
    """
    deployed = install(regions=["eu-west-1"], timeout=4)
    deployed.account.faults.add(Fault("SendEmail", delay=inf, times=1))
    killed, *tried_again = deployed.fire().invocations
    assert b"timed out" in killed.payload.lower()
    assert all(b"mailed nothing" in invocation.payload for invocation in tried_again)
    stored = s3_backends[deployed.account.id]["aws"].buckets[deployed.outputs["ledgerBucket"]]
    stored.keys[HEAD_KEY].last_modified -= timedelta(minutes=1)
    assert json.loads(deployed.run().payload)["counts"]["mailed"] == 1
    assert "stopped before it could record its mail; this mail may repeat" in unwrapped(
        deployed.text()
    )
    assert len(ledger(deployed).runs) == 1


def test_simultaneous_changes_are_one_mail(install: Installer[Deployed]) -> None:
    """Events that CloudTrail tells at the same moment run beside each other, and one mails."""
    deployed = install(regions=["eu-west-1"], realtime=True)
    deployed.run()
    ec2_client = deployed.account.client("ec2")
    group_id = ec2_client.create_security_group(GroupName="burst", Description="x")["GroupId"]
    world = [{"CidrIp": "0.0.0.0/0"}]
    permission = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": world}
    ec2_client.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[permission])
    detail = {
        "eventSource": "ec2.amazonaws.com",
        "eventName": "AuthorizeSecurityGroupIngress",
        "awsRegion": "eu-west-1",
    }
    entry = {
        "Source": "aws.ec2",
        "DetailType": "AWS API Call via CloudTrail",
        "Detail": json.dumps(detail),
    }
    deployed.account.client("events").put_events(Entries=[entry] * 5)
    deployed.account.functions.wait(timeout=60)
    mails = deployed.mails()[1:]
    assert [str(mail.message["Subject"])[: len("[dev] New ")] for mail in mails] == ["[dev] New "]
    # Those that found nothing new have nothing to commit.
    assert sum(past.trigger == "change" for past in ledger(deployed).runs) == 1
