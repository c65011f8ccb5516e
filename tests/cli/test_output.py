"""Where a report goes: a file is whole or as it was before."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.formats import FORMATS
from tests.cli.forms import HOSTILE, REPORTS, SSH, written

SNAPSHOT = json.dumps({"SecurityGroups": [SSH], "Account": "123456789012", "Region": "eu-west-1"})


def run(*arguments: str, given: str = SNAPSHOT) -> Result:
    """Run the command with a snapshot as its standard input."""
    return CliRunner().invoke(main, ["audit", "--from-file", "-", *arguments], input=given)


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_holds_what_standard_output_would(tmp_path: Path, form: str) -> None:
    """Every form goes into a file, and nothing goes to standard output then."""
    file = tmp_path / "report"
    result = run("--format", form, "--output", str(file))
    assert (result.exit_code, result.output) == (0, "")
    assert "sg-1" in file.read_text("utf-8")
    assert [*tmp_path.iterdir()] == [file]


@pytest.mark.parametrize("form", FORMATS)
def test_standard_output_takes_every_form(form: str) -> None:
    """A dash is standard output, as no file is."""
    assert "sg-1" in run("--format", form).stdout
    assert "sg-1" in run("--format", form, "--output", "-").stdout


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", REPORTS)
def test_every_form_writes_every_report(form: str, name: str) -> None:
    """Nothing that an account holds ends the audit; the file can be encoded and ends a line."""
    text = written(form, REPORTS[name])
    assert text.encode().endswith(b"\n")


def test_a_table_in_a_file_has_no_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when standard output is a terminal."""
    monkeypatch.setenv("TERM", "xterm-256color")
    file = tmp_path / "report"
    run("--output", str(file))
    assert "\x1b" not in file.read_text("utf-8")


@pytest.mark.parametrize("given", ["", "{}"], ids=["no-snapshot", "no-groups"])
def test_a_failed_audit_leaves_the_file_as_it_was(tmp_path: Path, given: str) -> None:
    """The last report stays, and nothing half written lies beside it."""
    file = tmp_path / "report"
    file.write_text("the last one")
    assert run("--output", str(file), given=given).exit_code == 2
    assert file.read_text() == "the last one"
    assert [*tmp_path.iterdir()] == [file]


def test_a_failed_form_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """Security Hub knows no unknown region, and that is found when the audit is done."""
    file = tmp_path / "report"
    file.write_text("the last one")
    snapshot = json.dumps({"SecurityGroups": [SSH]})
    result = run("--format", "asff", "--output", str(file), given=snapshot)
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: Security Hub needs the region and the account of 12 digits of every finding: "
        "add Region and Account to the snapshot, got unknown / 123456789012.\n"
    )
    assert file.read_text() == "the last one"


def test_a_file_keeps_its_mode_and_a_link_its_file(tmp_path: Path) -> None:
    """Who may read the report does not change with it."""
    file, link = tmp_path / "report", tmp_path / "latest"
    file.write_text("the last one")
    file.chmod(0o604)
    link.symlink_to(file)
    assert run("--output", str(link)).exit_code == 0
    assert link.is_symlink()
    assert "sg-1" in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o604


def test_a_device_is_written_to_and_stays_one(tmp_path: Path) -> None:
    """Somebody who may replace /dev/null must not."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Whoever reads goes when the pipe is closed for the first time.
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:  # noqa: S607
        assert run("--output", str(pipe)).exit_code == 0
        assert b"sg-1" in reader.communicate()[0]
    assert pipe.is_fifo()


def test_a_pipe_without_a_name_is_written_to() -> None:
    """A shell makes /dev/fd/63 of >(command), and /dev/stdout is a link to a pipe's number."""
    reader, writer = os.pipe()
    try:
        assert run("--output", f"/dev/fd/{writer}").exit_code == 0
        assert b"sg-1" in os.read(reader, 10_000)
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("none/report", "No such file or directory", id="no-folder"),
        pytest.param("folder", "Is a directory", id="folder"),
        pytest.param("file/report", "Not a directory", id="below-a-file"),
        pytest.param("x" * 300, "File name too long", id="long"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(tmp_path: Path, name: str, reason: str) -> None:
    """It is said in a line, before the audit begins, and the status is 2."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    result = run("--output", str(tmp_path / name), given="no snapshot")
    assert result.exit_code == 2
    assert result.stderr == f"Error: {tmp_path / name} could not be written: {reason}.\n"


def test_a_full_disk_is_one_sentence() -> None:
    """What was known only while writing is said in the same way."""
    result = run("--output", "/dev/full")
    assert result.exit_code == 2
    assert result.stderr == "Error: /dev/full could not be written: No space left on device.\n"


def test_a_terminal_that_cannot_show_a_name_does_not_end_the_audit() -> None:
    """The name is written with escapes."""
    snapshot = json.dumps({"SecurityGroups": [SSH | {"GroupName": HOSTILE[-1]}]})
    runner = CliRunner(charset="ascii")
    result = runner.invoke(main, ["audit", "--from-file", "-"], input=snapshot)
    assert result.exit_code == 0
    assert "\\u5b89" in result.stdout


@pytest.mark.parametrize(("fail_on", "status"), [("critical", 1), (None, 0)])
def test_the_status_is_that_of_the_audit(tmp_path: Path, fail_on: str | None, status: int) -> None:
    """A report in a file fails the command as one on standard output does."""
    arguments = ["--output", str(tmp_path / "report"), *(["--fail-on", fail_on] if fail_on else [])]
    assert run(*arguments).exit_code == status
    assert (tmp_path / "report").exists()
