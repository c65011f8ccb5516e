"""The principal in a CloudTrail record, in readable form."""

from collections.abc import Mapping
from typing import Any

from handler.model.opened_by import Actor, ActorKind
from handler.sanitize import clean_text, cut

# AWS allows names of users and sessions of at most 64 characters.
_LONGEST_NAME = 64
_UNKNOWN = Actor(ActorKind.UNKNOWN, "an unknown principal")
# Only AWS can create roles with this path. A role's name proves nothing:
# https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
_IDENTITY_CENTER_ROLE = "role/aws-reserved/sso.amazonaws.com/"
_IDENTITY_CENTER_PREFIX = "AWSReservedSSO_"
_SERVICE_SUFFIX = ".amazonaws.com"
_SERVICE_NAMES = {"cloudformation.amazonaws.com": "CloudFormation"}


def actor_of(identity: object, account: str | None = None) -> Actor:
    """The principal in a record's ``userIdentity``; ``account`` is the account that was changed.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    if not isinstance(identity, Mapping):
        return _UNKNOWN
    actor = _principal(identity)
    service = _service(identity)
    if service and actor.kind is not ActorKind.SERVICE:
        on_behalf = "" if actor.kind is ActorKind.UNKNOWN else f" for {actor.principal}"
        return Actor(ActorKind.SERVICE, f"{service}{on_behalf}", service)
    owner = _name(identity.get("accountId"))
    is_foreign = account and owner and owner != account and actor.kind is not ActorKind.ACCOUNT
    if is_foreign:
        return Actor(ActorKind.ACCOUNT, f"{actor.principal} of account {owner}", owner)
    return actor


def _principal(identity: Mapping[str, Any]) -> Actor:
    """The principal, without the service that made the call on its behalf."""
    name, account = _name(identity.get("userName")), _name(identity.get("accountId"))
    actor = _UNKNOWN
    match identity.get("type"):
        case "Root":
            actor = Actor(ActorKind.ROOT, "the root user")
        case "IAMUser" if name:
            actor = Actor(ActorKind.IAM_USER, f"IAM user {name}", name)
        case "AssumedRole":
            actor = _role(identity)
        case "FederatedUser" if user := _last_part(identity.get("arn")):
            actor = Actor(ActorKind.FEDERATED_USER, f"federated user {user}", user)
        case "IdentityCenterUser" if user := _name(_object(identity, "onBehalfOf").get("userId")):
            text = f"IAM Identity Center user with id {user}"
            actor = Actor(ActorKind.IDENTITY_CENTER_USER, text)
        case "AWSAccount" if account:
            actor = Actor(ActorKind.ACCOUNT, f"account {account}", account)
        case "AWSService" if service := _service(identity):
            actor = Actor(ActorKind.SERVICE, service, service)
    return actor


def _role(identity: Mapping[str, Any]) -> Actor:
    """A role with its session name; for IAM Identity Center, the user whose name that is."""
    issuer = _object(_object(identity, "sessionContext"), "sessionIssuer")
    session = _last_part(identity.get("arn"))
    role = _name(issuer.get("userName")) or _last_part(issuer.get("arn"))
    # The part after the account, which may contain colons itself.
    resource = str(issuer.get("arn")).split(":", 5)[-1]
    if session and role and resource.startswith(_IDENTITY_CENTER_ROLE):
        permission_set = role.removeprefix(_IDENTITY_CENTER_PREFIX).rpartition("_")[0]
        text = f"IAM Identity Center user {session} ({permission_set or role})"
        return Actor(ActorKind.IDENTITY_CENTER_USER, text, session)
    if not role:
        return _UNKNOWN
    # Called a session name, because the caller that assumes the role chooses it.
    suffix = f", session name {session}" if session else ""
    return Actor(ActorKind.ROLE, f"role {role}{suffix}", role)


def _service(identity: Mapping[str, Any]) -> str | None:
    """The AWS service that made the call, for itself or on behalf of a principal."""
    name = _name(identity.get("invokedBy"))
    # "AWS Internal" stands for the console.
    if name is None or not name.endswith(_SERVICE_SUFFIX):
        return None
    return _SERVICE_NAMES.get(name, name)


def _object(fields: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = fields.get(key)
    return value if isinstance(value, Mapping) else {}


def _last_part(arn: object) -> str | None:
    return _name(arn.rpartition("/")[2]) if isinstance(arn, str) and "/" in arn else None


def _name(value: object) -> str | None:
    """A name in a form that reports can show; None if it is blank or not a text."""
    return cut((clean_text(value) or "").strip(), _LONGEST_NAME) or None
