"""The demo: a stack is deployed into the sandbox, audits twice, and is destroyed."""

import email
import json
import os
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


def demo(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the demo of a project to its end, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "demo"],
        cwd=project,
        env={**os.environ, "COLUMNS": "200", **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


@pytest.fixture(scope="module")
def demo_without_engine(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A demo on a machine without Pulumi CLI and Go: the folder that it writes, and its process."""
    runtime.prepare()
    folder = tmp_path_factory.mktemp("bare")
    copy = folder / "project"
    ignore = shutil.ignore_patterns(".*", "venv", "tests", "__pycache__")
    shutil.copytree(project, copy, ignore=ignore)
    (copy / ".cache").mkdir()
    (copy / ".cache" / "lambda-runtime").symlink_to(runtime.location().parent)
    return copy / ".demo", demo(copy, PATH="", PULUMI_HOME=str(folder))


def check(process: subprocess.CompletedProcess[str], folder: Path) -> None:
    """Assert that the demo wrote two mails and the ledger, and left the account empty."""
    assert process.returncode == 0, process.stdout
    assert "Subject: [dev] 5 critical" in process.stdout
    assert process.stdout.endswith("nothing left\n")
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
    files = (folder / "ledger" / "reports").rglob("*.json")
    reports = [json.loads(file.read_text("utf-8")) for file in files]
    reports.sort(key=lambda report: str(report["run"]["startedAt"]))
    assert [report["summary"]["critical"] for report in reports] == [7, 7]
    assert [report["summary"]["resolved"] for report in reports] == [0, 1]


def test_demo_with_the_engine(project: Path) -> None:
    """With a Pulumi CLI the demo previews and creates 30 resources, and deletes all of them."""
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
    assert "30 to create" in process.stdout
    assert "30 unchanged" in process.stdout
    assert "30 deleted" in process.stdout


def test_demo_without_an_engine(
    demo_without_engine: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """Without Pulumi CLI and Go the demo prints that, and its mails are the same."""
    folder, process = demo_without_engine
    check(process, folder)
    assert "There is no Pulumi CLI on this machine, and no Go to build one with." in process.stdout


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["mail.html", "changes.html"])
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
