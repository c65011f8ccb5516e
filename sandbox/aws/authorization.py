"""Whether the role of a caller allows its calls, because moto allows everything."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

from moto.backends import get_backend
from werkzeug.wrappers import Response

from sandbox.aws.conditions import as_list, meets
from sandbox.aws.mail import read_mail
from sandbox.aws.organization import organization_of
from sandbox.aws.protocol import Operation

Statement = Mapping[str, Any]

# The permissions of S3 operations that have no permission of their name.
_S3_ACTIONS = {
    "HeadBucket": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
}
_DENIALS = {"ec2": "UnauthorizedOperation", "s3": "AccessDenied", "sts": "AccessDenied"}


@dataclass(frozen=True, slots=True)
class Permission:
    """An action on a resource that a call needs, and the condition keys of the request."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def refuse(operation: Operation, role_arn: str) -> Response | None:
    """The refusal of a call that the policies of a role do not allow."""
    return _refuse(operation, role_arn, _required(operation))


def refuse_missing_object(operation: Operation, role_arn: str) -> Response | None:
    """The refusal by which S3 hides that an object is missing if the role may not list."""
    bucket = Permission("s3:ListBucket", f"arn:aws:s3:::{operation.parameters['Bucket']}")
    return _refuse(operation, role_arn, [bucket])


def allows(account: str, role_arn: str, permission: Permission) -> bool:
    """Whether the policies of a role grant a permission."""
    return is_allowed(_statements(account, role_arn), permission)


def is_allowed(statements: Iterable[Statement], permission: Permission) -> bool:
    """Whether a statement grants the permission and none denies it."""
    effects = {item["Effect"] for item in statements if _applies(item, permission)}
    return effects == {"Allow"}


def _refuse(
    operation: Operation, role_arn: str, permissions: Iterable[Permission]
) -> Response | None:
    statements = list(_statements(operation.account, role_arn))
    for permission in permissions:
        if not is_allowed(statements, permission):
            return operation.refusal(
                _DENIALS.get(operation.service, "AccessDeniedException"),
                f"User: {role_arn} is not authorized to perform: {permission.action} "
                f"on resource: {permission.resource}",
                HTTPStatus.FORBIDDEN,
            )
    return None


def _statements(account: str, role_arn: str) -> Iterator[Statement]:
    """The statements of all policies of a role."""
    role = get_backend("iam")[account]["aws"].get_role_by_arn(role_arn)
    documents = list(role.policies.values())
    for policy in role.managed_policies.values():
        documents += [v.document for v in policy.versions if v.is_default]
    for document in documents:
        statements = (json.loads(document) if isinstance(document, str) else document)["Statement"]
        yield from [statements] if isinstance(statements, dict) else statements


def _applies(statement: Statement, permission: Permission) -> bool:
    actions = (pattern.lower() for pattern in as_list(statement["Action"]))
    return (
        any(fnmatchcase(permission.action.lower(), pattern) for pattern in actions)
        and any(fnmatchcase(permission.resource, item) for item in as_list(statement["Resource"]))
        and meets(statement.get("Condition", {}), permission.context)
    )


def _required(operation: Operation) -> Iterator[Permission]:
    """The permissions that AWS checks before it carries out a call."""
    action = f"{operation.service}:{operation.name}"
    location = f"{operation.region}:{operation.account}"
    parameters = operation.parameters
    match operation.service:
        case "sts" if operation.name == "GetCallerIdentity":
            return
        case "sts" if operation.name == "AssumeRole":
            yield Permission(action, parameters["RoleArn"], _role_context(parameters["RoleArn"]))
        case "lambda" if operation.name == "Invoke":
            name = parameters["FunctionName"].rpartition(":function:")[2]
            yield Permission("lambda:InvokeFunction", f"arn:aws:lambda:{location}:function:{name}")
        case "stepfunctions" if operation.name == "StartExecution":
            yield Permission("states:StartExecution", parameters["stateMachineArn"])
        case "cloudtrail" | "ec2":
            yield Permission(action, "*", {"aws:RequestedRegion": operation.region})
        case "s3":
            path = "/".join(filter(None, (parameters.get("Bucket"), parameters.get("Key"))))
            condition = parameters.get("IfNoneMatch")
            context = {"s3:if-none-match": condition} if condition else {}
            name = _S3_ACTIONS.get(operation.name, action)
            yield Permission(name, f"arn:aws:s3:::{path}", context)
        case "events" if operation.name == "PutEvents":
            yield from _required_to_put(operation, location)
        case "logs":
            stream = f"{parameters['logGroupName']}:log-stream:{parameters['logStreamName']}"
            yield Permission(action, f"arn:aws:logs:{location}:log-group:{stream}")
        case "sesv2" if operation.name == "SendEmail":
            yield from _required_to_send(operation, location)
        case _:
            yield Permission(action, "*")


def _role_context(role_arn: str) -> dict[str, str]:
    """The condition keys of a role: its account and organization."""
    account = role_arn.split(":")[4]
    organization = organization_of(account)
    return {
        "aws:ResourceAccount": account,
        **({"aws:ResourceOrgID": organization} if organization else {}),
    }


def _required_to_put(operation: Operation, location: str) -> Iterator[Permission]:
    """The permission to put each event on its bus."""
    for entry in operation.parameters["Entries"]:
        bus = f"arn:aws:events:{location}:event-bus/{entry.get('EventBusName', 'default')}"
        yield Permission("events:PutEvents", bus, {"events:source": entry["Source"]})


def _required_to_send(operation: Operation, location: str) -> Iterator[Permission]:
    """The permissions on the identities of sender and recipients, as in the SES sandbox.

    A raw message needs both actions. The default configuration set of the sender's identity is
    checked, too.
    """
    mail = read_mail(operation)
    sender = parseaddr(mail.sender)[1]
    identities = get_backend("ses")[operation.account][operation.region].email_identities
    names = [_identity_of(address, identities) for address in (sender, *mail.recipients)]
    resources = [f"identity/{name}" for name in dict.fromkeys(names)]
    identity = identities.get(names[0])
    if identity is not None and identity.configuration_set_name:
        resources.append(f"configuration-set/{identity.configuration_set_name}")
    for name in ("SendEmail", "SendRawEmail"):
        for resource in resources:
            arn = f"arn:aws:ses:{location}:{resource}"
            yield Permission(f"ses:{name}", arn, {"ses:FromAddress": sender})


def _identity_of(address: str, identities: Mapping[str, object]) -> str:
    """The identity that covers an address: the address, its domain or the nearest parent domain."""
    labels = address.partition("@")[2].split(".")
    domains = (".".join(labels[start:]) for start in range(len(labels)))
    return next((name for name in (address, *domains) if name in identities), address)
