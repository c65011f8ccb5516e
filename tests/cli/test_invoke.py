"""One run of a stack's function from a terminal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.aws.account import Account
from sandbox.aws.seed import seed


def run(project: Path, *arguments: str, given: str = "", **environment: str) -> tuple[int, str]:
    """Run the command line; the result is its exit status and all that it printed."""
    process = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=project,
        env={**os.environ, "COLUMNS": "200", **environment},
        input=given,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return process.returncode, process.stdout


def test_the_sandbox_shows_the_mail(project: Path) -> None:
    """The sample event runs the stack's zip in the sandbox and the mail is shown."""
    status, said = run(project, "invoke", "--event", "event.json")
    assert status == 0, said
    assert (
        "Subject: [security groups] dev: 6 critical, 6 high, 4 medium, 4 low in 3 regions" in said
    )
    assert "started by its schedule" in said
    assert '"body": "Audit complete."' in said


def test_another_stack_has_its_own_settings(project: Path) -> None:
    """Stack prod reads its two regions and mails its own recipients; no event is a manual run."""
    status, said = run(project, "invoke", "--stack", "prod")
    assert status == 0, said
    assert "To: security@example.com, platform-oncall@example.com" in said
    assert "started by hand" in said
    assert "ap-southeast-2" not in said


@pytest.mark.parametrize(
    ("arguments", "given", "sentence"),
    [
        (
            ("--event", "-"),
            "{",
            "Error: the event must be JSON, it is not: Expecting property name",
        ),
        (("--event", "missing.json"), "", "'missing.json': No such file or directory"),
        (
            ("--stack", "staging"),
            "",
            "Error: Stack 'staging' is missing configuration value 'sender'",
        ),
    ],
    ids=["no-json", "no-file", "no-stack"],
)
def test_a_mistake_is_one_sentence(
    project: Path, arguments: tuple[str, ...], given: str, sentence: str
) -> None:
    """Whatever the user gets wrong is said without a traceback, and the command fails."""
    status, said = run(project, "invoke", *arguments, given=given)
    assert status != 0
    assert sentence in said
    assert "Traceback" not in said


def test_live_uses_the_callers_account(project: Path) -> None:
    """With --live the zip runs with the caller's credentials and mails for real."""
    with Account() as account:
        seed(account)
        account.client("sesv2").create_email_identity(EmailIdentity="audit@example.com")
        status, said = run(
            project, "invoke", "--live", "--event", "event.json", **account.environment()
        )
        assert status == 0, said
        assert "Running in account 123456789012 as arn:aws:" in said
        (mail,) = account.mails()
    assert mail.message["Subject"].startswith("[security groups] dev: 6 critical")


def test_live_needs_credentials(project: Path) -> None:
    """Without credentials nothing is run, and the way to get them is named."""
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    status, said = run(project, "invoke", "--live", **nobody)
    assert status == 1
    assert (
        said
        == "Error: --live needs your AWS credentials, for example AWS_PROFILE; there are none.\n"
    )


def test_live_needs_a_profile_that_exists(project: Path) -> None:
    """A profile that is not there is said in a sentence."""
    status, said = run(project, "invoke", "--live", AWS_PROFILE="nobody")
    assert status == 1
    assert said == (
        "Error: your AWS credentials must be valid, they are not: "
        "The config profile (nobody) could not be found\n"
    )


def test_the_sandbox_is_deaf_to_the_callers_environment(project: Path) -> None:
    """Neither a profile nor a proxy of the caller's reaches the account on this machine."""
    proxy = "http://127.0.0.1:9"
    status, said = run(project, "invoke", AWS_PROFILE="nobody", HTTP_PROXY=proxy, HTTPS_PROXY=proxy)
    assert status == 0, said


def test_a_failed_run_fails_the_command(project: Path) -> None:
    """When SES refuses the mail of a live run the command says what the function said."""
    with Account() as account:
        status, said = run(project, "invoke", "--live", **account.environment())
    assert status == 1
    assert "Error: the function failed: SES did not take the digest: MessageRejected" in said
