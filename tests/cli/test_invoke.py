"""One run of a stack's function from a terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.invoke import invoke as run_function
from sandbox.aws.account import Account
from sandbox.aws.seed import seed
from tests.support.projects import copy_project

UNUSABLE = "http://127.0.0.1:9"
MEMBER = "210987654321"


def invoke(*arguments: str, stdin: str = "") -> Result:
    """Run the command in this process; an exception that it does not report fails the test."""
    return CliRunner(env={"COLUMNS": "200"}).invoke(
        main, ["invoke", *arguments], input=stdin, catch_exceptions=False
    )


def invoke_in_process(project: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run the command in a process of its own: its exit status and all that it prints."""
    process = subprocess.run(
        [sys.executable, "-m", "cli", "invoke", *arguments],
        cwd=project,
        env={**os.environ, "COLUMNS": "200", **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return process.returncode, process.stdout


def test_sandbox_shows_the_mail_whatever_the_environment(project: Path) -> None:
    """The sample event mails in the sandbox, which ignores the caller's profile and proxies."""
    environment = {"AWS_PROFILE": "nobody", "HTTP_PROXY": UNUSABLE, "HTTPS_PROXY": UNUSABLE}
    status, output = invoke_in_process(project, "--event", "event.json", **environment)
    assert status == 0, output
    assert "Subject: [dev] 5 critical exposures: start with legacy-erp, all traffic" in output
    assert "Scheduled run " in output
    assert '"body": "Audit complete."' in output


def test_stack_has_its_own_settings(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stack prod audits its two regions and mails its recipients; no event is a manual run."""
    run_function(
        copy_project(project, tmp_path / "project"), "prod", "the default event", b"{}", live=False
    )
    output = capsys.readouterr().out
    assert "To: security@example.com, platform-oncall@example.com" in output
    assert "Manual run " in output
    assert "ap-southeast-2" not in output


@pytest.mark.parametrize("setting", ['accounts: ["111122223333"]', "organizationalUnits: [r-ab12]"])
def test_stack_of_many_accounts_is_refused(project: Path, tmp_path: Path, setting: str) -> None:
    """A stack with a state machine is one sentence that names the commands for many accounts."""
    copy = copy_project(project, tmp_path / "project")
    with (copy / "Pulumi.prod.yaml").open("a", encoding="utf-8") as file:
        file.write(f"\n  security-group-audit:{setting}\n")
    with pytest.raises(click.ClickException, match="stack prod audits many accounts, "):
        run_function(copy, "prod", "the default event", b"{}", live=False)


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "sentence"),
    [
        (("--event", "-"), "{", 2, "Error: standard input: not JSON: Expecting property name"),
        (("--event", "-"), '{"regions": ["x"]}', 2, "Error: standard input: the event's regions"),
        (("--event", "missing.json"), "", 2, "'missing.json': No such file or directory"),
        (
            ("--stack", "staging"),
            "",
            1,
            "is missing configuration values 'recipients' and 'sender'",
        ),
    ],
    ids=["no-json", "no-region", "no-file", "no-stack"],
)
def test_mistake_is_one_sentence(
    arguments: tuple[str, ...], stdin: str, status: int, sentence: str
) -> None:
    """A bad event exits with 2, a bad stack with 1: one sentence says why, before any log."""
    result = invoke(*arguments, stdin=stdin)
    assert result.exit_code == status
    assert sentence in result.output.splitlines()[-1]
    assert "Traceback" not in result.output
    assert "platform." not in result.output


def test_live_uses_the_account_of_the_caller(project: Path) -> None:
    """With --live the function audits the caller's account and sends through its SES.

    A terminal shows that it runs.
    """
    with Account() as account:
        seed(account)
        account.client("sesv2").create_email_identity(EmailIdentity="audit@example.com")
        environment = account.environment() | {"FORCE_COLOR": "1"}
        status, output = invoke_in_process(
            project, "--live", "--event", "event.json", **environment
        )
        assert status == 0, output
        assert "Running the function of stack dev ..." in output
        assert "Running in account 123456789012 as arn:aws:" in output
        (mail,) = account.mails()
    assert mail.message["Subject"].startswith("[dev] 5 critical")


def test_live_takes_a_change_in_the_account_of_the_caller(project: Path, tmp_path: Path) -> None:
    """The function runs as if it were deployed there, so that the change is not foreign to it."""
    event = tmp_path / "event.json"
    detail = {"awsRegion": "eu-west-1", "eventName": "AuthorizeSecurityGroupIngress"}
    event.write_text(
        json.dumps(
            {
                "source": "aws.ec2",
                "detail-type": "AWS API Call via CloudTrail",
                "account": MEMBER,
                "detail": detail,
            }
        )
    )
    with Account() as account:
        environment = account.environment() | {"AWS_ACCESS_KEY_ID": f"AKIA{MEMBER}0000"}
        status, output = invoke_in_process(project, "--live", "--event", str(event), **environment)
    assert status == 0, output
    assert f"Running in account {MEMBER} as arn:aws:" in output
    assert '"targets": 1' in output


def test_live_needs_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials --live runs nothing, exits with 1 and names AWS_PROFILE."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "")
    result = invoke("--live")
    assert result.exit_code == 1
    assert (
        result.output
        == "Error: --live needs your AWS credentials, for example AWS_PROFILE; there are none.\n"
    )


def test_live_needs_a_profile_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that does not exist is named in one sentence."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    result = invoke("--live")
    assert result.exit_code == 1
    assert result.output == (
        "Error: your AWS credentials are not valid: "
        "The config profile (nobody) could not be found\n"
    )


def test_failed_run_fails_the_command(project: Path, tmp_path: Path) -> None:
    """When SES refuses the mail of a live run the command exits with 1 and SES's error."""
    event = tmp_path / "event.json"
    event.write_text('{"regions": ["eu-west-1"]}')
    with Account() as account:
        status, output = invoke_in_process(
            project, "--live", "--event", str(event), **account.environment()
        )
    assert status == 1
    assert "Error: the function failed: SES did not accept the digest: MessageRejected" in output
