"""Mails on a terminal."""

from email.message import EmailMessage
from io import StringIO

import pytest
from rich.console import Console

from cli.show import show_mail_briefly
from sandbox.aws.mail import Mail


@pytest.mark.parametrize(
    ("lines", "ending"),
    [(3, "  line 3\n"), (9, "  line 9\n"), (12, "  line 9\n  ... 3 more lines\n")],
)
def test_a_mail_in_short_ends_with_the_number_of_lines_left_out(lines: int, ending: str) -> None:
    """The first 9 lines are printed; a mail that has no others ends with its last one."""
    message, stream = EmailMessage(), StringIO()
    message["Subject"] = "Nothing open"
    message.set_content("\n\n".join(f"line {number}" for number in range(1, lines + 1)))
    mail = Mail("eu-west-1", "audit@example.com", (), message, message.as_bytes())
    show_mail_briefly(Console(file=stream), mail)
    assert stream.getvalue().endswith(ending)
