"""`sg-audit`, or `python -m cli` in a clone: the commands and their options."""

import os
import sys
from contextlib import suppress
from os.path import samestat
from pathlib import Path
from typing import BinaryIO

from cli.packages import missing_package_reported
from handler import VERSION

with missing_package_reported():
    import click

    from cli.formats import FORMATS
    from cli.output import output


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="security-group-audit")
def main() -> None:
    """Audit security groups from a terminal."""


@main.command()
@click.option(
    "--event",
    type=click.File("rb"),
    help="The event to hand over, a JSON file (- reads standard input); an empty one by default.",
)
@click.option("--stack", default="dev", show_default=True, help="Whose settings and policy to use.")
@click.option(
    "--live", is_flag=True, help="Use your own AWS credentials and send real mail, not the sandbox."
)
def invoke(event: BinaryIO | None, stack: str, *, live: bool) -> None:
    """Run the handler once on this machine, as Lambda would run the zip of a stack."""
    from cli.invoke import invoke as run  # noqa: PLC0415 -- moto and Pulumi take a second to load

    run(_project(), stack, event.read() if event else b"{}", live=live)


@main.command()
@click.option("--stack", default="dev", show_default=True, help="Which stack to deploy.")
@click.option(
    "--verbose", is_flag=True, help="Print all of Pulumi's output, the log and the mails."
)
def demo(stack: str, *, verbose: bool) -> None:
    """Deploy a stack into the sandbox, let its schedule start two audits, and show the mails."""
    from cli.demo import demo as run  # noqa: PLC0415 -- as above

    run(_project(), stack, verbose=verbose)


@main.command()
@click.option("--stack", default="dev", show_default=True, help="Whose ledger to read.")
@click.option("--live", is_flag=True, help="Read the ledger in AWS rather than the last demo's.")
def report(stack: str, *, live: bool) -> None:
    """Show what opened and closed from run to run, and the last report."""
    from cli.report import show_report  # noqa: PLC0415 -- as above

    show_report(_project(), stack, live=live)


@main.command()
@click.option(
    "--from-file",
    "snapshot",
    type=click.File("rb"),
    help="A saved snapshot, for example what aws ec2 describe-security-groups prints; - reads "
    "standard input. Without it, your own AWS credentials are used.",
)
@click.option("--policy", "policy_file", type=click.File("rb"), help="What counts: JSON or YAML.")
@click.option("--profile", help="The AWS profile to use.")
@click.option("--region", "regions", multiple=True, help="A region to read; may be repeated.")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="table",
    show_default=True,
    help="For people or for which other system.",
)
@click.option(
    "--output",
    "path",
    default="-",
    metavar="FILE",
    help="Write the report there instead of to standard output (-).",
)
@click.option(
    "--fail-on",
    type=click.Choice(["critical", "high", "medium", "low", "info"]),
    help="Exit with 1 when a finding is that severe or worse.",
)
def audit(  # noqa: PLR0913, PLR0917 -- an argument for each option
    snapshot: BinaryIO | None,
    policy_file: BinaryIO | None,
    profile: str | None,
    regions: tuple[str, ...],
    form: str,
    path: str,
    fail_on: str | None,
) -> None:
    """Report what a snapshot or an account opens to the internet.

    Exits with 2 when something could not be read.
    """
    from cli.audit import audit_account, audit_snapshot, exit_status  # noqa: PLC0415 -- as above
    from cli.policy_file import read_policy  # noqa: PLC0415 -- as above
    from handler.model.finding import Severity  # noqa: PLC0415 -- as above
    from handler.policy.policy import Policy  # noqa: PLC0415 -- as above

    for file in filter(None, (snapshot, policy_file)):
        # An input without a file descriptor is no file that --output could overwrite.
        with suppress(OSError):
            if Path(path).is_file() and samestat(Path(path).stat(), os.fstat(file.fileno())):
                message = f"--output would overwrite {path}, which the audit reads."
                raise click.UsageError(message)
    policy = read_policy(policy_file.read()) if policy_file else Policy()
    if snapshot and (profile or regions):
        message = "--from-file reads no account: leave out --profile and --region."
        raise click.UsageError(message)
    with output(path) as stream:
        if snapshot:
            result = audit_snapshot(snapshot.read(), policy)
        else:
            result = audit_account(profile, regions, policy)
        FORMATS[form](result, stream)
    sys.exit(exit_status(result, Severity(fail_on) if fail_on else None))


def _project() -> Path:
    """The Pulumi project's folder. Raises ``UsageError`` in a package installed without it."""
    project = Path(__file__).resolve().parent.parent
    if not (project / "Pulumi.yaml").is_file():
        command = f"{sys.executable} -m cli {click.get_current_context().info_name}"
        message = (
            "the installed package does not contain the Pulumi project: run "
            f"`{command}` in a clone of the security-group-audit repository."
        )
        raise click.UsageError(message)
    return project


def run() -> None:
    """Run the command that the arguments name, and exit with its status."""
    with missing_package_reported():
        main()


if __name__ == "__main__":
    run()
