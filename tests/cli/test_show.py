"""Logs and mails on a terminal."""

from email.message import EmailMessage
from io import StringIO

import pytest
from rich.console import Console

from cli.show import show_log, show_log_briefly, show_mail, show_mail_briefly
from sandbox.aws.mail import Mail


def mail_with(text: str) -> Mail:
    """An accepted mail with that text part."""
    message = EmailMessage()
    message["Subject"] = "Nothing open"
    message.set_content(text)
    return Mail("eu-west-1", "audit@example.com", (), message, message.as_bytes())


def test_a_line_of_a_mail_is_a_line_on_the_terminal() -> None:
    """A line of 78 characters, the longest of a mail, is not broken at 80 columns."""
    stream = StringIO()
    show_mail(Console(file=stream, width=80), mail_with("word " * 15 + "end"))
    assert "word " * 15 + "end" in stream.getvalue().splitlines()


@pytest.mark.parametrize(
    ("lines", "ending"),
    [(3, "  line 3\n"), (9, "  line 9\n"), (12, "  line 9\n  ... 3 more lines\n")],
)
def test_a_mail_in_short_ends_with_the_number_of_lines_left_out(lines: int, ending: str) -> None:
    """The first 9 lines are printed; a mail that has no others ends with its last one."""
    stream = StringIO()
    text = "\n\n".join(f"line {number}" for number in range(1, lines + 1))
    show_mail_briefly(Console(file=stream), mail_with(text))
    assert stream.getvalue().endswith(ending)


REPORT = '{"type": "platform.report", "record": {"requestId": "r-1", "status": "success"}}'
FINISHED = (
    '{"level": "INFO", "message": "Audit finished.", "requestId": "r-1", "logger": "handler",'
    ' "targets": 17, "targetsNotRead": 0, "runId": "run-1", "durationMs": 1157}'
)
FAILED = '{"level": "ERROR", "errorMessage": "The audit failed.", "errorType": "ValueError"}'


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (REPORT, "platform.report status=success"),
        (
            FINISHED,
            "INFO    Audit finished. targets=17 targetsNotRead=0 runId=run-1 durationMs=1157",
        ),
        (FAILED, "ERROR   The audit failed. errorType=ValueError"),
        ("Hello", "Hello"),
    ],
    ids=["platform", "json", "error", "text"],
)
def test_a_log_line_is_level_message_and_facts(line: str, text: str) -> None:
    """The message of an error is its errorMessage; a line that is not JSON is printed as it is."""
    stream = StringIO()
    show_log(Console(file=stream), [line])
    assert stream.getvalue() == f"{text}\n"


def test_a_log_in_short_has_a_line_for_each_kind() -> None:
    """Lines of a kind are counted; ids, zeros and the lines of Lambda itself are left out."""
    stream = StringIO()
    show_log_briefly(Console(file=stream), [REPORT, "Hello", "Hello", FINISHED, FAILED, REPORT])
    assert stream.getvalue().splitlines() == [
        "  Hello (2 lines)",
        "  INFO    Audit finished. targets=17 durationMs=1157",
        "  ERROR   The audit failed. errorType=ValueError",
    ]
