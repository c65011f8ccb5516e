"""The headers by which mail programs file a mail."""

from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest

from handler.settings import Settings
from tests.support import mails

THREE_DAYS = [
    ("run-1", "2026-11-23T06:00:07Z"),
    ("run-2", "2026-11-24T06:00:07Z"),
    ("run-3", "2026-11-25T06:00:07Z"),
]


def headers(run_id: str, finished_at: str, stack: str | None = "dev") -> dict[str, str]:
    """The headers of the mail of a run."""
    report = mails.none()
    run = report.run._replace(id=run_id, finished_at=finished_at, stack=stack)
    return dict(mails.receive(replace(report, run=run)).message.items())


def test_mails_of_a_stack_are_one_thread() -> None:
    """Three runs have three ids and dates, and refer to the same message."""
    received = [headers(*run) for run in THREE_DAYS]
    assert len({mail["Message-ID"] for mail in received}) == 3
    (root,) = {mail["References"] for mail in received}
    assert root.startswith("<security-group-audit.")
    assert root.endswith("@example.com>")
    assert [parsedate_to_datetime(mail["Date"]).isoformat() for mail in received] == [
        "2026-11-23T06:00:07+00:00",
        "2026-11-24T06:00:07+00:00",
        "2026-11-25T06:00:07+00:00",
    ]


def test_each_stack_has_its_thread() -> None:
    """Mails of two stacks of one sender do not refer to the same message."""
    run = THREE_DAYS[0]
    assert headers(*run)["References"] != headers(*run, stack="prod")["References"]


def test_the_same_run_has_the_same_headers() -> None:
    """A report that is composed twice is the same message."""
    first, second = (headers(*THREE_DAYS[0]) for _ in range(2))
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.parametrize(
    ("stack", "sender", "list_id"),
    [
        pytest.param("dev", "Security group audit (dev)", "dev", id="stack"),
        pytest.param(None, "Security group audit", "default", id="none"),
        pytest.param(
            "Prod <x@y>\r\nBcc: z@y", "Security group audit (Prod <x@y>\N{REPLACEMENT CHARACTER}"
            "\N{REPLACEMENT CHARACTER}Bcc: z@y)", "prod-x-y-bcc-z-y", id="hostile",
        ),
    ],
)  # fmt: skip
def test_the_sender_names_the_stack(stack: str | None, sender: str, list_id: str) -> None:
    """The display name and the list's id say which stack it is; the address stays the sender's."""
    report = replace(mails.none(), run=(mails.none().run)._replace(stack=stack))
    message = mails.receive(report, Settings("audit@mail.example.com", ("a@example.com",))).message
    (address,) = message["From"].addresses
    assert (address.display_name, address.addr_spec) == (sender, "audit@mail.example.com")
    assert message["List-Id"] == (
        f"Security group audit <{list_id}.security-group-audit.mail.example.com>"
    )
    assert message["Auto-Submitted"] == "auto-generated"
