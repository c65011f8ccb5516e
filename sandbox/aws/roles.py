"""The roles that a caller may assume, because moto assumes any, existing or not."""

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

from moto.backends import get_backend
from moto.iam.exceptions import NotFoundException
from werkzeug.wrappers import Response

from sandbox.aws.callers import Caller
from sandbox.aws.conditions import as_list, meets
from sandbox.aws.organization import organization_of
from sandbox.aws.protocol import Operation


def refuse_to_assume(operation: Operation, caller: Caller) -> Response | None:
    """The refusal of an AssumeRole if there is no such role or it does not trust the caller."""
    role_arn = operation.parameters["RoleArn"]
    if _trusts(role_arn, caller, operation.parameters.get("ExternalId")):
        return None
    return operation.refusal(
        "AccessDenied",
        f"User: {caller.user} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
        HTTPStatus.FORBIDDEN,
    )


def _trusts(role_arn: str, caller: Caller, external_id: str | None) -> bool:
    try:
        role = get_backend("iam")[role_arn.split(":")[4]]["aws"].get_role_by_arn(role_arn)
    except NotFoundException:
        return False
    context = {
        "aws:PrincipalAccount": caller.account,
        "aws:PrincipalArn": caller.arn,
        "aws:PrincipalOrgID": organization_of(caller.account),
        "sts:ExternalId": external_id,
    }
    values = {key: value for key, value in context.items() if value is not None}
    statements = as_list(json.loads(role.assume_role_policy_document).get("Statement", []))
    effects = {item["Effect"] for item in statements if _applies(item, caller, values)}
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], caller: Caller, context: Mapping[str, str]) -> bool:
    principal = statement["Principal"]
    principals = ["*"] if principal == "*" else as_list(principal.get("AWS", []))
    account = f"arn:aws:iam::{caller.account}:root"
    return (
        any(fnmatchcase("sts:AssumeRole", action) for action in as_list(statement["Action"]))
        and bool({"*", caller.arn, caller.account, account} & set(principals))
        and meets(statement.get("Condition", {}), context)
    )
