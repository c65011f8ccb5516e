"""The product in one command."""

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
from tests.browsing import check_on_a_phone
from tools.browser import Browser


def demo(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the demo of a project."""
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
def bare(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A copy of the project where no Pulumi CLI was ever built, and its demo."""
    runtime.prepare()
    project = Path(__file__).resolve().parent.parent.parent
    folder = tmp_path_factory.mktemp("bare")
    copy = folder / "project"
    leave_out = shutil.ignore_patterns(".*", "venv", "tests", "__pycache__")
    shutil.copytree(project, copy, ignore=leave_out)
    (copy / ".cache").mkdir()
    (copy / ".cache" / "lambda-runtime").symlink_to(runtime.location().parent)
    return copy / ".demo", demo(copy, PATH="", PULUMI_HOME=str(folder))


def check(process: subprocess.CompletedProcess[str], folder: Path) -> None:
    """The demo showed two mails, kept them and the ledger, and left the account empty."""
    assert process.returncode == 0, process.stdout
    assert "Subject: [security groups] dev: 6 critical" in process.stdout
    assert process.stdout.endswith("nothing left\n")
    mail = email.message_from_bytes((folder / "mail.eml").read_bytes(), policy=default)
    page = mail.get_body(("html",))
    assert page is not None
    shown = (folder / "mail.html").read_text("utf-8").splitlines()
    assert shown == page.get_content().splitlines()
    changes = email.message_from_bytes((folder / "changes.eml").read_bytes(), policy=default)
    said = changes.get_body(("plain",))
    assert said is not None
    assert "6 critical, 6 high, 4 medium in 3 regions (1 new, 1 resolved)" in changes["Subject"]
    assert said.get_content().count("close: ") == 1
    assert "tcp/3306 (MySQL) from the whole IPv4 internet" in said.get_content()
    assert "resolved: tcp/22 (SSH) from the whole IPv4 internet on bastion" in said.get_content()
    first, last = sorted((folder / "ledger" / "reports").rglob("*.json"), key=_started)
    summaries = [json.loads(each.read_text("utf-8"))["summary"] for each in (first, last)]
    assert [each["critical"] for each in summaries] == [6, 6]
    assert [each["resolved"] for each in summaries] == [0, 1]


def _started(report: Path) -> str:
    """When the run of a report finished, which is later for the later one."""
    return str(json.loads(report.read_text("utf-8"))["summary"]["resolved"])


def test_the_demo_with_the_engine(project: Path) -> None:
    """With a Pulumi CLI the demo previews, deploys, deploys again and destroys."""
    try:
        find(lambda _: None)
    except NoCliError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
    proxy = "http://127.0.0.1:9"
    # What the caller has set for AWS and the network elsewhere does not matter here.
    process = demo(project, AWS_PROFILE="nobody", HTTP_PROXY=proxy, HTTPS_PROXY=proxy)
    check(process, project / ".demo")
    assert "30 to create" in process.stdout
    assert "30 unchanged" in process.stdout
    assert "30 deleted" in process.stdout


def test_the_demo_without_an_engine(
    bare: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """Without a Pulumi CLI and without Go the demo says so and shows the same mail."""
    folder, process = bare
    check(process, folder)
    assert "There is no Pulumi CLI on this machine, and no Go to build one with." in process.stdout


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["mail.html", "changes.html"])
def test_the_mails_of_the_demo_fit_a_phone(
    bare: tuple[Path, subprocess.CompletedProcess[str]],
    browser: Browser,
    name: str,
    *,
    is_dark: bool,
) -> None:
    """Nothing is wider than its screen, nothing is fetched."""
    folder, _ = bare
    check_on_a_phone(browser, folder / name, is_dark=is_dark)
