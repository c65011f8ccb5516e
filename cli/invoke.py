"""One run of a stack's function on this machine, in the sandbox or with real credentials."""

import json
import os
from dataclasses import replace
from pathlib import Path

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from cli.errors import AuditError
from cli.show import show_log, show_mail
from handler.event import EventError
from handler.sanitize import plain
from sandbox.aws.account import Account
from sandbox.aws.seed import seed
from sandbox.deployment.deploy import DeployError, open_stack
from sandbox.lambda_host.host import run_once
from sandbox.lambda_host.process import Function

# How this machine reaches AWS. A function in Lambda finds nothing else of the caller's environment,
# and one that runs here must not either.
_PASSED_VARIABLES = ("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


def invoke(project: Path, stack: str, file: str, event: bytes, *, live: bool) -> None:
    """Run the stack's function once with the event, and show its log, its mail and its result.

    Raises ``AuditError`` with the file's name if the event is no JSON or has a bad value, and
    ``click.ClickException`` if the stack's settings are bad or name many accounts, if there are no
    credentials (live), and if the function fails.
    """
    try:
        json.loads(event)
    except ValueError as error:
        raise AuditError(plain(f"{file}: not JSON: {error}")) from error
    console = Console()
    caller = _caller() if live else None
    status = Console(stderr=True).status(f"Running the function of stack {stack} ...")
    with status, Account() as account:
        function = _function(account, project, stack)
        if caller:
            account_id, credentials = caller
            invocation = run_once(_live(function, account_id), event, credentials)
        else:
            seed(account)
            invocation = account.functions.invoke(function.region, function.name, event)
    result = json.loads(invocation.payload)
    if invocation.error and result.get("errorType") == EventError.__name__:
        raise AuditError(plain(f"{file}: {result['errorMessage']}"))
    show_log(console, invocation.log)
    for mail in account.mails():
        show_mail(console, mail)
    if invocation.error:
        raise click.ClickException(
            f"the function failed: {result.get('errorMessage')} ({result.get('errorType')})"
        )
    console.print_json(data=result)


def _function(account: Account, project: Path, stack: str) -> Function:
    """The function as the stack deploys it: its zip and its environment."""
    # A stack with organizational units looks up the organization of its account.
    account.client("organizations").create_organization(FeatureSet="ALL")
    deployed = open_stack(project, stack, account, engine=False)
    try:
        deployed.up()
    except DeployError as error:
        raise click.ClickException(str(error)) from error
    if deployed.outputs.get("stateMachineArn"):
        raise click.ClickException(
            f"stack {stack} audits many accounts, with more than one function: see "
            "`make demo ORGANIZATION=1`, or `sg-audit audit --account` for your own accounts."
        )
    arn = deployed.outputs["functionArn"]
    return account.functions.definition(arn.split(":")[3], arn)


def _live(function: Function, account_id: str) -> Function:
    """The function in an account of AWS, without its ledger, which is in the sandbox."""
    variables = dict(function.environment)
    del variables["LEDGER_BUCKET"]
    return replace(function, account=account_id, environment=variables)


def _caller() -> tuple[str, dict[str, str]]:
    """The caller's account, and the credentials as the variables that Lambda sets for a role."""
    try:
        session = boto3.Session()
        credentials = session.get_credentials()
        sts = session.client("sts", region_name=session.region_name or "us-east-1")
        identity = sts.get_caller_identity() if credentials else None
    except (BotoCoreError, ClientError) as error:
        raise click.ClickException(f"your AWS credentials are not valid: {error}") from error
    if credentials is None or identity is None:
        raise click.ClickException(
            "--live needs your AWS credentials, for example AWS_PROFILE; there are none."
        )
    click.echo(f"Running in account {identity['Account']} as {identity['Arn']}, with real mail.")
    keys = credentials.get_frozen_credentials()
    variables = {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.token,
        **{name: os.environ.get(name) for name in _PASSED_VARIABLES},
    }
    return identity["Account"], {name: value for name, value in variables.items() if value}
