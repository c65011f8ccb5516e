"""The engine brings the account to what the program says, step by step."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.account import Account
from sandbox.deployment.deploy import open_stack
from sandbox.deployment.stack import Changes, DeployError

from .conftest import Declare, Open, written

FUNCTION = ("aws:lambda/function:Function", "work")
GROUP = ("aws:cloudwatch/logGroup:LogGroup", "log")
ROLE = ("aws:iam/role:Role", "role")

WHOLE = """
role = aws.iam.Role("role", assume_role_policy=trust)
group = aws.cloudwatch.LogGroup("log", retention_in_days=config.require_int("days"))
work = aws.lambda_.Function("work", role=role.arn, runtime="python3.13", handler="app.handle",
    code=pulumi.AssetArchive({"app.py": pulumi.StringAsset("answer = 42")}), memory_size=256,
    environment={"variables": {"SENDER": config.require("sender")}},
    logging_config={"log_format": "JSON", "log_group": group.name})
aws.iam.RolePolicy("policy", role=role.name, policy=pulumi.Output.json_dumps(
    {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": group.arn}]}))
aws.lambda_.FunctionEventInvokeConfig("retries", function_name=work.name,
    maximum_retry_attempts=0, maximum_event_age_in_seconds=3600)
rule = aws.cloudwatch.EventRule("rule", schedule_expression="rate(1 day)")
aws.lambda_.Permission("permission", action="lambda:InvokeFunction", function=work.name,
    principal="events.amazonaws.com", source_arn=rule.arn)
aws.cloudwatch.EventTarget("target", rule=rule.name, arn=work.arn)
aws.sesv2.EmailIdentity("sender", email_identity=config.require("sender"))
pulumi.export("functionName", work.name)
pulumi.export("password", pulumi.Output.secret("hush"))
"""
DECLARED = (
    ("aws:cloudwatch/eventRule:EventRule", "rule"),
    ("aws:cloudwatch/eventTarget:EventTarget", "target"),
    GROUP,
    ROLE,
    ("aws:iam/rolePolicy:RolePolicy", "policy"),
    FUNCTION,
    ("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "retries"),
    ("aws:lambda/permission:Permission", "permission"),
    ("aws:sesv2/emailIdentity:EmailIdentity", "sender"),
)


def operations(account: Account) -> list[str]:
    """The operations that reached the account since the last look."""
    names = [call.operation for call in account.calls]
    account.calls.clear()
    return names


@dataclass(frozen=True)
class Life:
    """What came of each operation on one stack, and what each of them left."""

    preview: Changes
    previewed: list[str]
    up: Changes
    outputs: dict[str, Any]
    ids: dict[str, str]
    files: dict[str, bytes]
    refresh: Changes
    elsewhere: Changes
    password: str
    change: Changes
    uploads: list[str]
    destroy: Changes
    resources: list[tuple[str, str, str]]
    left: list[Any]


@pytest.fixture(scope="module")
def life(created: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """One stack from its first preview to its end; in between another process opens its state."""
    root = tmp_path_factory.mktemp("life")
    state, folder = shutil.copytree(created, root / "state"), root / "project"
    folder.mkdir()
    written(folder, WHOLE)
    with Account() as account, pytest.MonkeyPatch.context() as patch:
        stack = open_stack(folder, "dev", account, state=state, engine=True)
        preview, previewed = stack.preview(), operations(account)
        up, outputs = stack.up(), stack.outputs
        ids = {name: identity for _, name, identity in stack.resources}
        files = contents(folder)
        refresh = stack.refresh()
        patch.chdir(root)
        again = open_stack(folder, "dev", account, state=state, engine=True)
        elsewhere, password = again.up(), again.outputs["password"]
        written(folder, WHOLE.replace("answer = 42", "answer = 43"))
        operations(account)
        change, uploads = again.up(), operations(account)
        destroy = again.destroy()
        yield Life(
            preview,
            previewed,
            up,
            outputs,
            ids,
            files,
            refresh,
            elsewhere,
            password,
            change,
            uploads,
            destroy,
            again.resources,
            held(account),
        )


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def held(account: Account) -> list[Any]:
    """What an account holds of what the program declares."""
    return [
        *account.client("lambda").list_functions()["Functions"],
        *account.client("iam").list_roles()["Roles"],
        *account.client("logs").describe_log_groups()["logGroups"],
        *account.client("events").list_rules()["Rules"],
        *account.client("sesv2").list_email_identities()["EmailIdentities"],
    ]


def test_preview_creates_nothing(life: Life) -> None:
    """A preview names what up would create and asks the account for nothing."""
    assert (life.preview.create, life.previewed) == (DECLARED, [])


def test_what_is_deployed_stays_the_same(life: Life) -> None:
    """After up refresh finds nothing that differs, and the next up changes nothing."""
    assert life.up.create == life.refresh.same == life.elsewhere.same == DECLARED


def test_destroy_leaves_nothing(life: Life) -> None:
    """After destroy neither the account nor the state holds anything."""
    assert life.destroy.delete == DECLARED
    assert (life.resources, life.left) == ([], [])


def test_outputs_and_ids(life: Life) -> None:
    """Outputs, secrets among them, and ids are there after up, spelled as pulumi_aws does."""
    ids = life.ids
    assert life.outputs == {"functionName": ids["work"], "password": "hush"}
    assert ids["retries"] == ids["work"]
    assert ids["policy"].startswith(f"{ids['role']}:policy-")
    assert ids["target"].startswith(f"{ids['rule']}-target-")
    assert ids["sender"] == "audit@example.com"


def test_state_outlives_the_stack_object(life: Life) -> None:
    """Another process that opens the same state, in any folder, finds what was deployed."""
    assert life.elsewhere.same == DECLARED
    assert life.password == "hush"  # noqa: S105


def test_user_files_stay_as_they_are(life: Life, folder: Path) -> None:
    """Neither an encryption salt nor anything else is written into the project."""
    written(folder, WHOLE)
    assert life.files == contents(folder)


def test_changed_file_updates_code_only(life: Life) -> None:
    """Another content of one file is a change of code, and only the code is uploaded."""
    assert life.change.update == (FUNCTION,)
    assert life.change.properties == {FUNCTION: ("code",)}
    uploads = [name for name in life.uploads if name.startswith("Update")]
    assert uploads == ["UpdateFunctionCode"]


def test_update_replace_create_delete_in_one_preview(declare: Declare, stack: Open) -> None:
    """One preview tells apart what is created, updated, replaced, deleted and left alone."""
    declare("""
        aws.cloudwatch.LogGroup("log", retention_in_days=7)
        aws.iam.Role("role", assume_role_policy=trust, path="/a/")
        aws.iam.Role("kept", assume_role_policy=trust)
        aws.sesv2.EmailIdentity("old", email_identity="old@example.com")
    """)
    deployed = stack()
    deployed.up()
    declare("""
        aws.cloudwatch.LogGroup("log", retention_in_days=14)
        aws.iam.Role("role", assume_role_policy=trust, path="/b/")
        aws.iam.Role("kept", assume_role_policy=trust)
        aws.sesv2.EmailIdentity("new", email_identity="new@example.com")
    """)
    changes = deployed.preview()
    assert changes.update == (GROUP,)
    assert changes.replace == (ROLE,)
    assert changes.create == (("aws:sesv2/emailIdentity:EmailIdentity", "new"),)
    assert changes.delete == (("aws:sesv2/emailIdentity:EmailIdentity", "old"),)
    assert changes.same == (("aws:iam/role:Role", "kept"),)
    assert changes.properties == {GROUP: ("retentionInDays",), ROLE: ("path",)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("", ["CreateRole", "DeleteRole"], id="a name of its own: create first"),
        pytest.param(', name="fixed"', ["DeleteRole", "CreateRole"], id="fixed: delete first"),
    ],
)
def test_order_of_replacement(
    declare: Declare, stack: Open, account: Account, name: str, expected: list[str]
) -> None:
    """A resource is replaced before the old one goes, unless both would have one name."""
    declare(f'aws.iam.Role("role", assume_role_policy=trust, path="/a/"{name})')
    deployed = stack()
    deployed.up()
    operations(account)
    declare(f'aws.iam.Role("role", assume_role_policy=trust, path="/b/"{name})')
    deployed.up()
    assert [name for name in operations(account) if name in expected] == expected


def test_failed_create_is_completed(declare: Declare, stack: Open, account: Account) -> None:
    """When AWS refuses one resource, the next up creates that one and nothing twice."""
    declare("""
        aws.iam.Role("role", assume_role_policy=trust)
        aws.cloudwatch.EventRule("rule", schedule_expression=config.require("schedule"))
    """)
    with pytest.raises(DeployError) as failure:
        stack(schedule="daily").up()
    assert str(failure.value) == (
        "creating rule: PutRule: ValidationException: Parameter ScheduleExpression is not valid."
    )
    changes = stack(schedule="rate(1 day)").up()
    assert changes.same == (ROLE,)
    assert changes.create == (("aws:cloudwatch/eventRule:EventRule", "rule"),)
    assert len(account.client("iam").list_roles()["Roles"]) == 1


@pytest.mark.parametrize("operation", ["PutRetentionPolicy", "DescribeLogGroups"])
def test_half_created_is_completed(
    declare: Declare, stack: Open, account: Account, operation: str
) -> None:
    """A log group without its retention, or unread, is kept in the state and then completed."""
    declare('aws.cloudwatch.LogGroup("log", retention_in_days=7, tags={"Own": "me"})')
    account.faults.deny(operation, "eu-west-1")
    deployed = stack()
    with pytest.raises(DeployError, match=operation):
        deployed.up()
    account.faults.clear()
    assert deployed.up().update == (GROUP,)
    (group,) = account.client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 7
    assert deployed.refresh().same == (GROUP,)


def test_existing_identity_is_refused(declare: Declare, stack: Open, account: Account) -> None:
    """An address that SES knows already cannot be created once more."""
    account.client("sesv2").create_email_identity(EmailIdentity="audit@example.com")
    declare('aws.sesv2.EmailIdentity("sender", email_identity="audit@example.com")')
    with pytest.raises(DeployError) as failure:
        stack().up()
    assert str(failure.value) == (
        "creating sender: CreateEmailIdentity: AlreadyExistsException: "
        "Email identity audit@example.com already exist."
    )


def test_two_stacks_side_by_side(declare: Declare, stack: Open, account: Account) -> None:
    """Two stacks in one state and one account share nothing: one goes, the other stays."""
    declare('aws.cloudwatch.LogGroup("log", tags={"Stack": pulumi.get_stack()})')
    dev, prod = stack("dev"), stack("prod")
    dev.up()
    prod.up()
    dev.destroy()
    assert prod.up().same == (GROUP,)
    (group,) = account.client("logs").describe_log_groups()["logGroups"]
    tags = account.client("logs").list_tags_for_resource(resourceArn=group["logGroupArn"])
    assert tags["tags"] == {"Stack": "prod"}


def test_secrets_stay_secret(declare: Declare, stack: Open, tmp_path: Path) -> None:
    """A secret in the inputs reaches AWS, and the state holds it encrypted only."""
    declare("""
        aws.cloudwatch.EventRule("rule", schedule_expression="rate(1 day)",
            description=pulumi.Output.secret("hush-hush"),
            tags={"Own": pulumi.Output.secret("mum")})
    """)
    deployed = stack()
    deployed.up()
    deployed.refresh()
    states = [path.read_text() for path in (tmp_path / "state").rglob("*.json*")]
    assert any('"rule-' in text for text in states)
    assert not any("hush-hush" in text or '"mum"' in text for text in states)
