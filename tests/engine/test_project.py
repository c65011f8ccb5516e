"""The project itself on the real engine: what changes when, and what a bad setting says."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.account import Account
from sandbox.aws.faults import Fault
from sandbox.aws.inventory import inventory
from sandbox.deployment.deploy import Changes, DeployError, Stack, open_stack
from tests.support.projects import copy_project

FUNCTION = ("aws:lambda/function:Function", "security-group-audit-function")
POLICY = ("aws:iam/rolePolicy:RolePolicy", "security-group-audit-policy")
RULE = ("aws:cloudwatch/eventRule:EventRule", "security-group-audit-schedule")
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
IDENTITY = "aws:sesv2/emailIdentity:EmailIdentity"

Open = Callable[..., Stack]


def fill(account: Account, bucket: str) -> None:
    """Two reports, one of them with an old version, and one that was deleted."""
    s3 = account.client("s3")
    for key in ("reports/a.json", "reports/a.json", "reports/b.json", "reports/c.json"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
    s3.delete_object(Bucket=bucket, Key="reports/c.json")


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """The project in a folder of its own, where files may be changed."""
    return copy_project(project, tmp_path / "project")


@pytest.fixture
def open_project(account: Account, copy: Path, state: Path) -> Open:
    """Open a stack of the copy; all of them share one backend, as a team's would."""

    def opened(stack: str = "dev", **config: object) -> Stack:
        return open_stack(copy, stack, account, config=config, state=state, engine=True)

    return opened


def changed(changes: Changes) -> dict[str, tuple[Any, ...]]:
    """What is not the same, by what happens to it."""
    kinds = {
        "create": changes.create,
        "update": changes.update,
        "replace": changes.replace,
        "delete": changes.delete,
    }
    return {kind: resources for kind, resources in kinds.items() if resources}


def contents(account: Account) -> frozenset[str]:
    """What the account holds, in eu-west-1 and us-east-1."""
    return inventory(account, "eu-west-1") | inventory(account, "us-east-1")


@dataclass(frozen=True)
class Life:
    """What each operation on one stack changed, and what it left."""

    preview: Changes
    previewed: frozenset[str]
    outputs: dict[str, Any]
    clone: Changes
    refresh: Changes
    code: Changes
    recipient: Changes
    schedule: Changes
    rule: str | None
    left: frozenset[str]


@pytest.fixture(scope="module")
def life(project: Path, created: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """One stack from its first preview to its end, with a change before each up."""
    root = tmp_path_factory.mktemp("life")
    state, copy = shutil.copytree(created, root / "state"), copy_project(project, root / "project")
    with Account() as account:

        def opened(**config: object) -> Stack:
            return open_stack(copy, "dev", account, config=config, state=state, engine=True)

        stack = opened()
        preview, previewed = stack.preview(), contents(account)
        stack.up()
        outputs = stack.outputs
        import_and_clone(copy)
        clone, refresh = stack.up(), stack.refresh()
        with (copy / "handler" / "app.py").open("a", encoding="utf-8") as file:
            file.write("# changed\n")
        code = stack.up()
        recipients = ["new@example.com"]
        recipient = opened(recipients=recipients).up()
        stack = opened(recipients=recipients, schedule="disabled")
        schedule, rule = stack.up(), stack.outputs.get("scheduleRule")
        fill(account, outputs["ledgerBucket"])
        stack.destroy()
        yield Life(
            preview,
            previewed,
            outputs,
            clone,
            refresh,
            code,
            recipient,
            schedule,
            rule,
            contents(account),
        )


def import_and_clone(copy: Path) -> None:
    """What any import leaves behind, and what a fresh clone does to the files."""
    byte_code = copy / "handler" / "__pycache__"
    byte_code.mkdir(exist_ok=True)
    (byte_code / "app.cpython-313.pyc").write_bytes(b"differs on every machine")
    for file in copy.rglob("*.py"):
        os.utime(file, (0, 0))


def test_preview_creates_nothing(life: Life) -> None:
    """A preview lists every part of a stack, and leaves the account empty."""
    assert changed(life.preview).keys() == {"create"}
    assert Counter(kind.rsplit(":", 1)[-1] for kind, _ in life.preview.create) == {
        "Bucket": 1,
        "BucketLifecycleConfiguration": 1,
        "BucketOwnershipControls": 1,
        "BucketPolicy": 1,
        "BucketPublicAccessBlock": 1,
        "BucketServerSideEncryptionConfiguration": 1,
        "BucketVersioning": 1,
        "EmailIdentity": 2,
        "EventRule": 1,
        "EventTarget": 1,
        "Function": 1,
        "FunctionEventInvokeConfig": 1,
        "LogGroup": 1,
        "LogMetricFilter": 7,
        "MetricAlarm": 2,
        "Permission": 1,
        "Role": 1,
        "RolePolicy": 1,
        "SecurityGroupAudit": 1,
        "Topic": 1,
        "TopicPolicy": 1,
        "TopicSubscription": 1,
    }
    assert life.previewed == frozenset()


def test_outputs(life: Life) -> None:
    """A stack exports its function, its role, its log, its bucket, its rule and its sender."""
    assert sorted(life.outputs) == [
        "functionArn",
        "functionName",
        "ledgerBucket",
        "logGroupName",
        "region",
        "roleArn",
        "scheduleRule",
        "senderIdentity",
    ]
    assert life.outputs["functionName"].startswith("security-group-audit-function-")
    assert life.outputs["senderIdentity"] == (
        "arn:aws:ses:eu-west-1:123456789012:identity/audit@example.com"
    )


def test_nothing_changes_without_a_change(life: Life) -> None:
    """Up and refresh change nothing where only byte code and the files' times are others."""
    assert changed(life.clone) == changed(life.refresh) == {}


def test_destroy_leaves_nothing(life: Life) -> None:
    """After destroy nothing is left, not even the reports."""
    assert life.left == frozenset()


def test_changed_code_updates_the_code_only(life: Life) -> None:
    """A changed handler file is an update of the function's code and of nothing else."""
    assert changed(life.code) == {"update": (FUNCTION,)}
    assert life.code.properties[FUNCTION] == ("code",)


def test_a_changed_recipient_touches_what_it_must(life: Life) -> None:
    """Another recipient is another identity and subscription, in policy and environment."""
    assert changed(life.recipient) == {
        "create": (
            (IDENTITY, "security-group-audit-new@example.com"),
            (SUBSCRIPTION, "security-group-audit-alarm-new@example.com"),
        ),
        "update": (POLICY, FUNCTION),
        "delete": (
            (IDENTITY, "security-group-audit-security@example.com"),
            (SUBSCRIPTION, "security-group-audit-alarm-security@example.com"),
        ),
    }
    assert life.recipient.properties[FUNCTION] == ("environment.variables.SES_RECIPIENT",)


def test_a_disabled_schedule_deletes_just_that(life: Life) -> None:
    """Without a schedule its rule, target, permission and alarm go, and the export is empty."""
    assert [name for _, name in life.schedule.delete] == [
        "security-group-audit-schedule",
        "security-group-audit-schedule-target",
        "security-group-audit-alarm-silent",
        "security-group-audit-schedule-permission",
    ]
    assert life.rule is None


def test_two_stacks_live_side_by_side(open_project: Open, account: Account) -> None:
    """Two environments in one account share nothing, and one goes without the other."""
    dev, prod = open_project("dev"), open_project("prod")
    dev.up()
    prod.up()
    assert dev.outputs["roleArn"] != prod.outputs["roleArn"]
    function = account.client("lambda", "us-east-1").get_function(
        FunctionName=prod.outputs["functionName"]
    )
    assert function["Tags"] == {"CostCenter": "security", "Environment": "prod"}
    dev.destroy()
    assert changed(prod.refresh()) == {}
    # Roles and buckets are in every region's list: these are the other stack's.
    assert sorted(thing.split()[0] for thing in inventory(account)) == ["bucket", "role"]


def test_two_stacks_can_share_addresses(project: Path, account: Account) -> None:
    """A second stack in the same region leaves the identities to the first."""
    open_stack(project, "dev", account, engine=False).up()
    second = open_stack(project, "dev", account, config={"createIdentities": False}, engine=False)
    second.up()
    assert second.outputs.get("senderIdentity") is None
    identities = account.client("sesv2").list_email_identities()["EmailIdentities"]
    assert len(identities) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("PutRolePolicy", "CreateFunction", id="function-after-policy"),
        pytest.param("PutBucketPolicy", "CreateFunction", id="function-after-closed-bucket"),
        pytest.param("AddPermission", "PutTargets", id="target-after-permission"),
    ],
)
def test_nothing_runs_before_it_may(
    project: Path, account: Account, first: str, second: str
) -> None:
    """What needs a permission is not made while, or when, the permission could not be given."""
    refused = Fault(first, code="LimitExceededException", message="No more.", delay=1.0)
    account.faults.add(refused)
    with pytest.raises(DeployError, match="No more"):
        open_stack(project, "dev", account, engine=False).up()
    assert second not in {call.operation for call in account.calls}


@pytest.fixture(scope="module")
def nowhere() -> Iterator[Account]:
    """An account that must stay empty."""
    with Account() as entered:
        yield entered


@pytest.mark.parametrize("engine", [True, False], ids=["engine", "monitor"])
def test_a_date_without_quotes_is_one(account: Account, project: Path, *, engine: bool) -> None:
    """The engine prints it as a time, and so does what stands in for it."""
    exception = {"group": "web", "ports": "tcp/22", "reason": "a", "owner": "b"}
    config = {"exceptions": [exception | {"until": date(2027, 3, 31)}]}
    stack = open_stack(project, "dev", account, config=config, engine=engine)
    assert (stack.preview() if engine else stack.up()).create


# Kinds of values on their way through the engine; tests/infra has the sentences of the config.
@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"recipients": []}, "recipients must be 1 to 50 mail addresses, got 0."),
        (
            {"exceptions": [{"group": "web", "ports": "tcp/22", "until": "2027-03-31"}]},
            "exceptions[0] must have reason, owner.",
        ),
        ({"memorySize": 127}, "memorySize must be 128 to 10240 MB, got 127."),
        (
            {"accounts": [111122223333]},
            "Stack 'dev' with configuration key 'accounts' must be of type 'array<string>'",
        ),
        (
            {"organizationalUnits": ["r-ab12"]},
            (
                "organizationalUnits needs the organization of the stack's account, which could "
                "not be read: asking aws:organizations/getOrganization:getOrganization: "
                "DescribeOrganization: AWSOrganizationsNotInUseException: "
                "Your account is not a member of an organization."
            ),
        ),
        (
            {"aws:region": "ap-east-1"},
            "aws:region must be a region in which SES is available, got 'ap-east-1'.",
        ),
        (
            {"recipient": "a@example.com"},
            "recipient is no setting of security-group-audit; did you mean recipients?",
        ),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:40],
)
def test_bad_input_stops_the_preview(
    nowhere: Account, project: Path, created: Path, config: dict[str, object], sentence: str
) -> None:
    """One sentence, no traceback, and nothing is created."""
    stack = open_stack(project, "dev", nowhere, config=config, state=created, engine=True)
    with pytest.raises(DeployError) as error:
        stack.preview()
    assert str(error.value) == sentence
    assert contents(nowhere) == frozenset()
