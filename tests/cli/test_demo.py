"""The demo: a stack is deployed into the sandbox, audits three times, and is destroyed."""

import email
import json
import os
import re
import shutil
import subprocess
import sys
from email.policy import default
from pathlib import Path

import pytest

from sandbox.deployment.pulumi_cli import NoCliError, find
from sandbox.lambda_host import runtime
from tests.browsing import check_screen
from tools.browser import Browser

DEPLOYED = "Deployed with Pulumi's mock monitor (no Pulumi CLI; `make engine` builds one)"


def demo(project: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the demo of a project to its end, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "demo", *options],
        cwd=project,
        env={**os.environ, "COLUMNS": "80", **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


@pytest.fixture(scope="module")
def demo_without_engine(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A verbose demo on a machine without Pulumi CLI and Go: its folder, and its process."""
    folder = tmp_path_factory.mktemp("bare")
    copy = copy_bare(project, folder)
    return copy / ".demo", demo(copy, "--verbose", PATH="", PULUMI_HOME=str(folder))


def copy_bare(project: Path, folder: Path) -> Path:
    """A copy of the project in the folder, without what was built beside it."""
    runtime.prepare()
    copy = folder / "project"
    ignore = shutil.ignore_patterns(".*", "venv", "tests", "__pycache__")
    shutil.copytree(project, copy, ignore=ignore)
    (copy / ".cache").mkdir()
    (copy / ".cache" / "lambda-runtime").symlink_to(runtime.location().parent)
    return copy


def check(process: subprocess.CompletedProcess[str], folder: Path) -> None:
    """Assert that the demo wrote three mails and the ledger, and ends with what they say."""
    assert process.returncode == 0, process.stdout
    lines = process.stdout.splitlines()
    mail = email.message_from_bytes((folder / "mail.eml").read_bytes(), policy=default)
    page = mail.get_body(("html",))
    assert page is not None
    html = (folder / "mail.html").read_text("utf-8")
    assert html.splitlines() == page.get_content().splitlines()
    changes = email.message_from_bytes((folder / "changes.eml").read_bytes(), policy=default)
    body = changes.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert changes["Subject"] == (
        "[dev] New critical: MySQL open to the internet on orders-database (1 resolved)"
    )
    assert text.count("aws ec2 ") == 1
    assert "NEW (1)" in text
    assert "RESOLVED (1)" in text
    assert "The next day: SSH closed on bastion, MySQL opened on orders-database" in lines
    assert f"  .demo/changes.html  {changes['Subject']}"[:79] in process.stdout
    assert re.search(
        r"^The change \(\d\.\d s\): mailed, opened by IAM user alice$", process.stdout, re.MULTILINE
    )
    live = (folder / "live.html").read_text("utf-8")
    assert "build-runner" in live
    assert "IAM user alice" in live
    assert lines[-1] == "      README.md                       deploy it"
    ledger = folder / "ledger"
    # Both runs may begin in the same second: the ledger's head has them in their order.
    runs = [run["id"] for run in json.loads((ledger / "head.json").read_text("utf-8"))["runs"]]
    files = [file for run in runs for file in (ledger / "reports").rglob(f"{run}.json")]
    reports = [json.loads(file.read_text("utf-8")) for file in files]
    assert [report["summary"]["critical"] for report in reports][:2] == [7, 7]
    assert [report["summary"]["resolved"] for report in reports] == [0, 1, 0]


def test_demo_with_the_engine(project: Path) -> None:
    """With a Pulumi CLI the demo previews, creates, leaves alone and deletes the same resources."""
    try:
        find(lambda _: None)
    except NoCliError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
    proxy = "http://127.0.0.1:9"
    # The demo ignores the caller's profile and proxies.
    process = demo(project, AWS_PROFILE="nobody", HTTP_PROXY=proxy, HTTPS_PROXY=proxy)
    check(process, project / ".demo")
    lines = process.stdout.splitlines()
    assert len(lines) < 60
    assert [line for line in lines if len(line) > 80] == []
    for line in (
        "  INFO    Audit started. trigger=schedule\n",
        "  INFO    Target read. (17 lines)\n",
        "  WARNING Finding. (2",
        "  INFO    Audit finished. targets=17 groups=46 rules=61 findings=29 critical=7 ",
    ):
        assert process.stdout.count(line) == 2
    steps = re.findall(
        r"^pulumi (\w+) \(\d+\.\d s\): (\d+) AWS resources (.+)$", process.stdout, re.MULTILINE
    )
    assert [(verb, outcome) for verb, _, outcome in steps] == [
        ("preview", "to create"),
        ("up", "created"),
        ("up", "unchanged"),
        ("destroy", "deleted"),
    ]
    assert len({number for _, number, _ in steps}) == 1


def test_demo_without_an_engine(
    demo_without_engine: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """Without Pulumi CLI and Go the demo prints that, and its mails are the same."""
    folder, process = demo_without_engine
    check(process, folder)
    assert DEPLOYED in process.stdout.splitlines()


def test_demo_of_an_organization(project: Path, tmp_path: Path) -> None:
    """With --organization it mails what a dozen accounts open, which one refuses, and a team.

    Of an earlier demo nothing is left in the folder.
    """
    copy = copy_bare(project, tmp_path)
    (copy / ".demo").mkdir()
    (copy / ".demo" / "live.html").touch()
    process = demo(copy, "--organization", PATH="", PULUMI_HOME=str(tmp_path))
    assert process.returncode == 0, process.stdout
    assert process.stdout.count(": execution failed, as expected: 1 account not read\n") == 2
    assert process.stdout.count("  ERROR   The audit is incomplete: acquired-company ") == 2
    lines = process.stdout.splitlines()
    assert lines[1] == DEPLOYED
    assert [line for line in lines if len(line) > 80] == []
    (team,) = [line for line in lines if line.startswith("  .demo/team.html")]
    assert "[dev] Critical: PostgreSQL" in team
    folder = copy / ".demo"
    assert sorted(path.name for path in folder.iterdir()) == [
        "changes.eml",
        "changes.html",
        "eu-west-1.json",
        "ledger",
        "mail.eml",
        "mail.html",
        "team.eml",
        "team.html",
    ]
    mail = email.message_from_bytes((folder / "mail.eml").read_bytes(), policy=default)
    assert mail["Subject"] == "[dev] 1 account not read; 10 critical exposures"
    body = mail.get_body(("plain",))
    assert body is not None
    text = " ".join(body.get_content().split())
    assert "acquired-company (210000000011) (denied): AccessDenied" in text
    for name in ("shop-production", "payments-production", "network", "old-website"):
        assert name in text
    changes = email.message_from_bytes((folder / "changes.eml").read_bytes(), policy=default)
    assert "new critical: MySQL on orders-database (1 resolved)" in changes["Subject"]


def test_verbose_demo_shows_everything(
    demo_without_engine: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """With --verbose the demo prints Pulumi's lines, each line of the log and the whole mails."""
    _, process = demo_without_engine
    assert process.stdout.count("INFO    Target read. ") == 34
    for line in ("creating aws:lambda/function:Function", "deleting aws:", "Subject: "):
        assert line in process.stdout


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["mail.html", "changes.html", "live.html"])
def test_mails_of_the_demo_fit_a_phone(
    demo_without_engine: tuple[Path, subprocess.CompletedProcess[str]],
    browser: Browser,
    name: str,
    *,
    is_dark: bool,
) -> None:
    """A mail is no wider than the screen and fetches nothing."""
    folder, _ = demo_without_engine
    check_screen(browser, folder / name, is_dark=is_dark)
