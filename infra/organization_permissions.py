"""The policy documents of a stack that audits many accounts, as plain data.

Each function may do one part of a run: the start function lists the accounts, the scan function
enters them and can neither mail nor write the ledger, the report function does both and enters
nothing.
"""

from collections.abc import Sequence

from infra.permissions import (
    LEDGER_READ_ACTIONS,
    LEDGER_WRITE_ACTIONS,
    Document,
    allow,
    document,
    list_ledger,
    objects,
    read_groups,
    send_digest,
    use_ledger,
    write_log,
)

# "/*" after a prefix: these keys contain the id of a run.
PLAN_KEYS = ("plans/*",)
SCAN_KEYS = ("scans/*",)


def start_policy(
    *, log_group_arn: str, bucket_arn: str, state_machine_arn: str, lists_units: bool
) -> Document:
    """The start function's: list accounts, store the plan of a run, start its execution."""
    # "*" because ListAccounts does not support resource-level permissions, and which units are
    # below the configured ones is not known in advance:
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
    list_actions = (
        "organizations:ListAccounts",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
    )
    list_accounts = [allow("ListAccounts", list_actions, "*")] if lists_units else []
    return document(
        *list_accounts,
        list_ledger(bucket_arn),
        allow("ReadPlans", LEDGER_READ_ACTIONS, objects(bucket_arn, PLAN_KEYS)),
        _write_once("WritePlans", objects(bucket_arn, PLAN_KEYS)),
        allow("StartExecution", ["states:StartExecution"], state_machine_arn),
        write_log(log_group_arn),
    )


def scan_policy(
    *,
    log_group_arn: str,
    bucket_arn: str,
    member_role_arn: str,
    accounts: Sequence[str],
    organization_id: str | None,
    regions: Sequence[str],
) -> Document:
    """The permissions of the scan function: enter accounts, read groups, store scans.

    It may assume ``member_role_arn``, whose account is ``*``, in ``accounts`` and in those of the
    organization ``organization_id``. In its own account, which it reads without that role, it may
    read ``regions``; an empty sequence allows all regions.
    """
    return document(
        read_groups(regions),
        *_enter(member_role_arn, "EnterAccounts", "aws:ResourceAccount", list(accounts)),
        *_enter(member_role_arn, "EnterOrganization", "aws:ResourceOrgID", organization_id),
        _write_once("WriteScans", objects(bucket_arn, SCAN_KEYS)),
        write_log(log_group_arn),
    )


def report_policy(
    *, log_group_arn: str, bucket_arn: str, mail_arns: Sequence[str], sender: str
) -> Document:
    """The permissions of the report function: read plan and scans, use the ledger, send email."""
    read_keys = (*PLAN_KEYS, *SCAN_KEYS)
    return document(
        send_digest(mail_arns, sender),
        allow("ReadScans", LEDGER_READ_ACTIONS, objects(bucket_arn, read_keys)),
        *use_ledger(bucket_arn),
        write_log(log_group_arn),
    )


def state_machine_policy(*, bucket_arn: str, function_arns: Sequence[str]) -> Document:
    """The permissions of the state machine: read a plan's accounts, invoke functions, log."""
    log_actions = (
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    )
    return document(
        allow("InvokeFunctions", ["lambda:InvokeFunction"], list(function_arns)),
        allow("ReadPlans", LEDGER_READ_ACTIONS, objects(bucket_arn, PLAN_KEYS)),
        # "*" because these actions do not support resource-level permissions for log deliveries:
        # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
        allow("DeliverLog", log_actions, "*"),
    )


def children_policy(state_machine_arn: str) -> Document:
    """Lets the state machine start, watch and stop the executions of its map, one an account.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    """
    execution_arn = state_machine_arn.replace(":stateMachine:", ":execution:")
    # ":*" and "/*": Step Functions chooses the names of a map's run and of its executions.
    children = [f"{execution_arn}:*", f"{execution_arn}/*"]
    return document(
        allow("StartChildren", ["states:StartExecution"], state_machine_arn),
        allow("ManageChildren", ["states:DescribeExecution", "states:StopExecution"], children),
    )


def _write_once(sid: str, object_arns: list[str]) -> Document:
    """Lets a role create these objects, and replace none."""
    # S3 refuses a write with If-None-Match if the object exists:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    return allow(sid, LEDGER_WRITE_ACTIONS, object_arns, {"Null": {"s3:if-none-match": "false"}})


def _enter(
    member_role_arn: str, sid: str, key: str, values: str | list[str] | None
) -> list[Document]:
    """Lets a role assume the member role if the condition key has one of the values."""
    if not values:
        return []
    return [allow(sid, ["sts:AssumeRole"], member_role_arn, {"StringEquals": {key: values}})]
