"""The engine brings the account to what the program says, step by step."""

from pathlib import Path

import pytest

from sandbox.aws.account import Account
from sandbox.deployment.stack import DeployError

from .conftest import Declare, Open

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


def test_preview_creates_nothing(declare: Declare, stack: Open, account: Account) -> None:
    """A preview names what up would create and asks the account for nothing."""
    declare(WHOLE)
    changes = stack().preview()
    assert changes.create == DECLARED
    assert operations(account) == []


def test_up_twice(declare: Declare, stack: Open) -> None:
    """What is deployed is the same the next time, and refresh finds nothing that differs."""
    declare(WHOLE)
    deployed = stack()
    assert deployed.up().create == DECLARED
    assert deployed.refresh().same == DECLARED
    assert deployed.up().same == DECLARED


def test_destroy_leaves_nothing(declare: Declare, stack: Open, account: Account) -> None:
    """After destroy neither the account nor the state holds anything."""
    declare(WHOLE)
    deployed = stack()
    deployed.up()
    assert deployed.destroy().delete == DECLARED
    assert deployed.resources == []
    assert account.client("lambda").list_functions()["Functions"] == []
    assert account.client("iam").list_roles()["Roles"] == []
    assert account.client("logs").describe_log_groups()["logGroups"] == []
    assert account.client("events").list_rules()["Rules"] == []
    assert account.client("sesv2").list_email_identities()["EmailIdentities"] == []


def test_outputs_and_ids(declare: Declare, stack: Open) -> None:
    """Outputs, secrets among them, and ids are there after up, spelled as pulumi_aws does."""
    declare(WHOLE)
    deployed = stack()
    deployed.up()
    ids = {name: identity for _, name, identity in deployed.resources}
    assert deployed.outputs == {"functionName": ids["work"], "password": "hush"}
    assert ids["retries"] == ids["work"]
    assert ids["policy"].startswith(f"{ids['role']}:policy-")
    assert ids["target"].startswith(f"{ids['rule']}-target-")
    assert ids["sender"] == "audit@example.com"


def test_changed_file_updates_code_only(declare: Declare, stack: Open, account: Account) -> None:
    """Another content of one file is a change of code, and only the code is uploaded."""
    declare(WHOLE)
    deployed = stack()
    deployed.up()
    declare(WHOLE.replace("answer = 42", "answer = 43"))
    operations(account)
    changes = deployed.up()
    assert changes.update == (FUNCTION,)
    assert changes.properties == {FUNCTION: ("code",)}
    assert [name for name in operations(account) if name.startswith("Update")] == [
        "UpdateFunctionCode"
    ]


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


def test_state_outlives_the_stack_object(declare: Declare, stack: Open) -> None:
    """Another process that opens the same state finds what was deployed."""
    declare(WHOLE)
    stack().up()
    again = stack()
    assert again.up().same == DECLARED
    assert again.outputs["password"] == "hush"  # noqa: S105


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
