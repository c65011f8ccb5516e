"""Enters another account by assuming a role in it."""

from handler.aws import Caller, Clients

# CloudTrail shows it in the account of the role.
_SESSION_NAME = "security-group-audit"


def enter_account(
    clients: Clients, caller: Caller, account: str, role_name: str, external_id: str | None
) -> Clients:
    """The clients for an account: the caller's own, or those of the role in another account.

    ``role_name`` begins with the role's path, if it has one. Raises one of ``aws.FAILURES``.
    """
    if caller.account == account:
        return clients
    role = {"RoleArn": f"arn:{caller.partition}:iam::{account}:role/{role_name}"}
    if external_id is not None:
        role["ExternalId"] = external_id
    response = clients.get("sts").assume_role(**role, RoleSessionName=_SESSION_NAME)
    credentials = response["Credentials"]
    return clients.with_credentials(
        {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }
    )
