"""Where a report goes: to standard output, or into a file that is replaced as a whole."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.formats import FORMATS
from tests.cli.sample_reports import HOSTILE_TEXTS, REPORTS, SSH_GROUP, render

SNAPSHOT = json.dumps(
    {"SecurityGroups": [SSH_GROUP], "Account": "123456789012", "Region": "eu-west-1"}
)


def run(*arguments: str, stdin: str = SNAPSHOT) -> Result:
    """Run the command with a snapshot as its standard input."""
    return CliRunner().invoke(main, ["audit", "--from-file", "-", *arguments], input=stdin)


@pytest.mark.parametrize("format_name", FORMATS)
def test_output_writes_each_format_into_a_file(tmp_path: Path, format_name: str) -> None:
    """With --output the report goes into the file, and nothing to standard output."""
    file = tmp_path / "report"
    result = run("--format", format_name, "--output", str(file))
    assert (result.exit_code, result.output) == (0, "")
    assert "sg-1" in file.read_text("utf-8")
    assert [*tmp_path.iterdir()] == [file]


@pytest.mark.parametrize("format_name", FORMATS)
def test_dash_is_standard_output(format_name: str) -> None:
    """Each format goes to standard output with --output -, and without --output."""
    assert "sg-1" in run("--format", format_name).stdout
    assert "sg-1" in run("--format", format_name, "--output", "-").stdout


@pytest.mark.parametrize("format_name", FORMATS)
def test_each_format_writes_each_report(format_name: str) -> None:
    """No text of an account fails a format; the text is valid UTF-8 and ends with a line feed."""
    for name, report in REPORTS.items():
        assert render(format_name, report).encode().endswith(b"\n"), name


@pytest.mark.parametrize("format_name", ["table", "markdown"])
def test_notes_about_the_csv_are_for_mails(format_name: str) -> None:
    """A report without commands does not send its reader to a CSV that nobody has attached."""
    assert "CSV" not in render(format_name, REPORTS["icmp"])


def test_table_in_a_file_has_no_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has no escape codes, also when standard output is a terminal."""
    monkeypatch.setenv("TERM", "xterm-256color")
    file = tmp_path / "report"
    run("--output", str(file))
    assert "\x1b" not in file.read_text("utf-8")


@pytest.mark.parametrize("stdin", ["", "{}"], ids=["no-snapshot", "no-groups"])
def test_failed_audit_leaves_the_file_as_it_was(tmp_path: Path, stdin: str) -> None:
    """The last report stays, and there is no partial file beside it."""
    file = tmp_path / "report"
    file.write_text("the last one")
    assert run("--output", str(file), stdin=stdin).exit_code == 2
    assert file.read_text() == "the last one"
    assert [*tmp_path.iterdir()] == [file]


def test_failed_format_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """A format that fails after the audit, as ASFF does without a region, writes no file."""
    file = tmp_path / "report"
    file.write_text("the last one")
    snapshot = json.dumps({"SecurityGroups": [SSH_GROUP]})
    result = run("--format", "asff", "--output", str(file), stdin=snapshot)
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: Security Hub needs the region and the account of 12 digits of every finding: "
        "add Region and Account to the snapshot, got unknown / 123456789012.\n"
    )
    assert file.read_text() == "the last one"


def test_file_keeps_its_mode_and_link_its_target(tmp_path: Path) -> None:
    """A report that is replaced has the mode of the last one; a link leads to the same file."""
    file, link = tmp_path / "report", tmp_path / "latest"
    file.write_text("the last one")
    file.chmod(0o604)
    link.symlink_to(file)
    assert run("--output", str(link)).exit_code == 0
    assert link.is_symlink()
    assert "sg-1" in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o604


def test_named_pipe_is_not_replaced(tmp_path: Path) -> None:
    """A pipe or a device such as /dev/null is written to, also by a user who may replace it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # The reader ends when the pipe is closed for the first time.
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:  # noqa: S607
        assert run("--output", str(pipe)).exit_code == 0
        assert b"sg-1" in reader.communicate()[0]
    assert pipe.is_fifo()


def test_anonymous_pipe_is_written_to() -> None:
    """/dev/fd/63, which a shell makes of >(command), is written to, as is /dev/stdout."""
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
def test_path_that_cannot_be_written_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    """A bad --output exits with 2 and one line, before the audit reads its input."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    result = run("--output", str(tmp_path / name), stdin="no snapshot")
    assert result.exit_code == 2
    assert result.stderr == f"Error: {tmp_path / name} could not be written: {reason}.\n"


def test_full_disk_is_one_sentence() -> None:
    """A file that cannot be written to its end exits with 2 and one line."""
    result = run("--output", "/dev/full")
    assert result.exit_code == 2
    assert result.stderr == "Error: /dev/full could not be written: No space left on device.\n"


def test_characters_that_a_terminal_lacks_are_escaped() -> None:
    """An ASCII terminal gets a group's name with the escapes of Python."""
    snapshot = json.dumps({"SecurityGroups": [SSH_GROUP | {"GroupName": HOSTILE_TEXTS[-1]}]})
    runner = CliRunner(charset="ascii")
    result = runner.invoke(main, ["audit", "--from-file", "-"], input=snapshot)
    assert result.exit_code == 0
    assert "\\u5b89" in result.stdout


@pytest.mark.parametrize(("fail_on", "status"), [("critical", 1), (None, 0)])
def test_exit_status_is_that_of_the_audit(tmp_path: Path, fail_on: str | None, status: int) -> None:
    """With --output and --fail-on critical, a critical finding exits with 1 and is written."""
    arguments = ["--output", str(tmp_path / "report"), *(["--fail-on", fail_on] if fail_on else [])]
    assert run(*arguments).exit_code == status
    assert (tmp_path / "report").exists()
