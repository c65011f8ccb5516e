"""Fixtures: an empty account, and a way to deploy a throw-away function into it."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from sandbox.aws.account import Account

LOG_PERMISSIONS = ("logs:CreateLogStream", "logs:PutLogEvents")


def zipped(source: str) -> bytes:
    """A zip with one module, app.py."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", source)
    return buffer.getvalue()


@pytest.fixture
def account() -> Iterator[Account]:
    """An empty account."""
    with Account() as entered:
        yield entered


def create(
    account: Account,
    source: str,
    *,
    actions: tuple[str, ...] = LOG_PERMISSIONS,
    log_group: bool = True,
    **settings: object,
) -> str:
    """Create the function ``trial`` with a role and a log group; the result is its ARN."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = account.client("iam")
    role = iam.create_role(RoleName="trial", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    iam.put_role_policy(RoleName="trial", PolicyName="trial", PolicyDocument=document)
    if log_group:
        account.client("logs").create_log_group(logGroupName="/aws/lambda/trial")
    definition = {"Runtime": "python3.13", "Handler": "app.handle", "Timeout": 10, **settings}
    function = account.client("lambda").create_function(
        FunctionName="trial", Role=role, Code={"ZipFile": zipped(source)}, **definition
    )
    return str(function["FunctionArn"])


@pytest.fixture
def deploy(account: Account) -> Callable[..., str]:
    """Creates the function ``trial`` in the account."""
    return partial(create, account)


@pytest.fixture(scope="module")
def shared_account() -> Iterator[Account]:
    """One account for the tests of a file, whose functions stay warm."""
    with Account() as entered:
        yield entered
