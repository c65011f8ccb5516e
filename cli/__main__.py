"""``sg-audit``, or ``python -m cli`` in a clone: the commands and their options."""

import os
import sys
from contextlib import suppress
from os.path import samestat
from pathlib import Path
from typing import BinaryIO

from cli.packages import missing_package_reported
from handler import VERSION
from handler.model.finding import Severity
from handler.policy.policy import Policy

with missing_package_reported():
    import click

    from cli.errors import AuditError
    from cli.formats import FORMATS
    from cli.option_types import ACCOUNT_ID, EXTERNAL_ID, REGION, ROLE_NAME
    from cli.output import output


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  sg-audit audit --region eu-west-1
  sg-audit COMMAND --help

\b
Shell completion, here for bash (zsh_source and fish_source for the others):
  eval "$(_SG_AUDIT_COMPLETE=bash_source sg-audit)"

demo, invoke and report need a clone, where `venv/bin/python -m cli` is the same as `sg-audit`.""",
)
@click.version_option(VERSION, prog_name="security-group-audit")
def main() -> None:
    """Find what the security groups of an AWS account open to the internet."""


@main.command(
    epilog="""\b
Exit status:
  0  the function succeeded
  1  the function failed, or could not be run
  2  bad option, file or event

\b
Examples:
  venv/bin/python -m cli invoke
  venv/bin/python -m cli invoke --event event.json
  venv/bin/python -m cli invoke --live --stack prod"""
)
@click.option(
    "--event",
    type=click.File("rb"),
    help="Event to invoke the function with, a JSON file; - is standard input.  [default: {}]",
)
@click.option("--stack", default="dev", show_default=True, help="Stack with the settings.")
@click.option("--live", is_flag=True, help="Audit your own AWS account and send real mail.")
def invoke(event: BinaryIO | None, stack: str, *, live: bool) -> None:
    """Run a stack's function once on this machine.

    It audits the sample account of the sandbox, and its mail is displayed rather than sent.
    """
    project = _project()
    from cli.invoke import invoke as run  # noqa: PLC0415 -- moto and Pulumi take a second to load

    run(project, stack, *(_named(event) if event else ("the default event", b"{}")), live=live)


@main.command(
    epilog="""\b
Examples:
  venv/bin/python -m cli demo
  venv/bin/python -m cli demo --organization"""
)
@click.option("--stack", default="dev", show_default=True, help="Stack to deploy.")
@click.option("--organization", is_flag=True, help="Audit an organization of a dozen accounts.")
@click.option("--verbose", is_flag=True, help="Print Pulumi's output, the log and the mails.")
def demo(stack: str, *, organization: bool, verbose: bool) -> None:
    """Deploy a stack into the sandbox, let it audit, and show its mails.

    No AWS account is needed. Exits with 1 if a step fails.
    """
    project = _project()
    from cli.demo import demo as run  # noqa: PLC0415 -- as above

    scene = "organization" if organization else "account"
    run(project, stack, scene, verbose=verbose)


@main.command(
    epilog="""\b
Exit status:
  0  the report was displayed
  1  there is none, or it could not be read
  2  bad option

\b
Examples:
  venv/bin/python -m cli report
  venv/bin/python -m cli report --live --stack prod
  venv/bin/python -m cli report --live --stack prod --account 111122223333"""
)
@click.option("--stack", help="With --live: the stack with the ledger.  [default: dev]")
@click.option("--live", is_flag=True, help="Read the ledger in AWS, not the one of the last demo.")
@click.option(
    "--account",
    type=ACCOUNT_ID,
    metavar="ID",
    help="One of many accounts: its last runs and its findings.  [default: all, in numbers]",
)
def report(stack: str | None, account: str | None, *, live: bool) -> None:
    """Display the history of the runs and the last report."""
    from cli.report import show_report  # noqa: PLC0415 -- boto3 takes 0.2 s to load

    if stack and not live:
        raise click.UsageError(
            "--stack needs --live; without it the ledger is the one of the last demo."
        )
    show_report(_project(), stack or "dev", live=live, account=account)


@main.command(
    epilog="""\b
Exit status:
  0  everything was read, and --fail-on is not met
  1  everything was read, and --fail-on is met
  2  nothing was reported: bad option or file, no credentials
  3  something was not read, whether or not --fail-on is met

\b
Examples:
  sg-audit audit --profile audit --region eu-west-1 --region us-east-1
  sg-audit audit --policy policy.yaml --fail-on high
  sg-audit audit --account 111122223333 --role security-audit
  sg-audit audit --format sarif --output audit.sarif
  aws ec2 describe-security-groups > groups.json
  sg-audit audit --from-file groups.json"""
)
@click.option(
    "--from-file",
    "snapshots",
    type=click.File("rb"),
    multiple=True,
    help="Audit a saved snapshot (JSON) instead of an account; - is standard input. May be "
    "repeated, one file for each region.",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.File("rb"),
    help="Policy file (JSON or YAML): minimum severity, trusted CIDRs, authorized ports, "
    "exceptions.",
)
@click.option("--profile", help="AWS profile.  [default: the AWS CLI's]")
@click.option(
    "--region",
    "regions",
    type=REGION,
    metavar="REGION",
    multiple=True,
    help="Region to audit; may be repeated.  [default: all enabled regions]",
)
@click.option(
    "--account",
    "accounts",
    type=ACCOUNT_ID,
    metavar="ID",
    multiple=True,
    help="Account to audit by assuming --role in it; may be repeated.  [default: the caller's]",
)
@click.option(
    "--role",
    type=ROLE_NAME,
    metavar="NAME",
    help="Role to assume in each --account, with its path if it has one.",
)
@click.option(
    "--external-id",
    type=EXTERNAL_ID,
    metavar="ID",
    help="External ID that the roles ask for.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="table",
    show_default=True,
    help="Output format.",
)
@click.option(
    "--output",
    "path",
    default="-",
    metavar="FILE",
    help="Output file; - is standard output.  [default: -]",
)
@click.option(
    "--fail-on",
    type=click.Choice(list(map(str, Severity))),
    help="Exit with 1 if a finding is of this severity or worse.  [default: never]",
)
def audit(  # noqa: PLR0913, PLR0917 -- an argument for each option
    snapshots: tuple[BinaryIO, ...],
    policy_file: BinaryIO | None,
    profile: str | None,
    regions: tuple[str, ...],
    accounts: tuple[str, ...],
    role: str | None,
    external_id: str | None,
    form: str,
    path: str,
    fail_on: str | None,
) -> None:
    """Audit AWS accounts, or saved snapshots of their regions.

    Reads your own account with your AWS credentials, or others by assuming a role in each, and
    changes nothing.
    """
    from cli.audit import OtherAccounts, audit_accounts, audit_snapshots, exit_status  # noqa: PLC0415 -- boto3 takes 0.2 s to load
    from cli.policy_file import read_policy  # noqa: PLC0415 -- only --policy needs PyYAML

    for file in filter(None, (*snapshots, policy_file)):
        # An input without a file descriptor is no file that --output could overwrite.
        with suppress(OSError):
            if Path(path).is_file() and samestat(Path(path).stat(), os.fstat(file.fileno())):
                raise click.UsageError(f"--output would overwrite {path}, which the audit reads.")
    policy = read_policy(*_named(policy_file)) if policy_file else Policy()
    if snapshots and (profile or regions or accounts):
        raise click.UsageError(
            "--from-file reads no account: leave out --profile, --region and --account."
        )
    if bool(accounts) != bool(role):
        raise click.UsageError("--account and --role need each other.")
    if external_id and not accounts:
        raise click.UsageError("--external-id needs --account and --role.")
    others = OtherAccounts(tuple(dict.fromkeys(accounts)), role, external_id) if role else None
    with output(path) as stream:
        if snapshots:
            result = audit_snapshots(map(_named, snapshots), policy)
        else:
            result = audit_accounts(profile, regions, policy, others)
        FORMATS[form](result, stream)
    sys.exit(exit_status(result, Severity(fail_on) if fail_on else None))


def _named(file: BinaryIO) -> tuple[str, bytes]:
    """The name of a file for messages, and its content. Raises ``AuditError``."""
    name = str(getattr(file, "name", "<stdin>"))
    name = "standard input" if name == "<stdin>" else name
    try:
        return name, file.read()
    except OSError as error:
        raise AuditError(f"{name} could not be read: {error.strerror}.") from error


def _project() -> Path:
    """The Pulumi project's folder. Raises ``UsageError`` in a package installed without it."""
    project = Path(__file__).resolve().parent.parent
    if not (project / "Pulumi.yaml").is_file():
        command = f"python -m cli {click.get_current_context().info_name}"
        raise click.UsageError(
            "the installed package does not contain the Pulumi project: in a clone of the "
            f"security-group-audit repository run `pip install '.[sandbox]'` and `{command}`."
        )
    return project


def run() -> None:
    """Run the command that the arguments name, and exit with its status."""
    with missing_package_reported():
        main()


if __name__ == "__main__":
    run()
