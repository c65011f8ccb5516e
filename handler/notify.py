"""Decides whether a run mails, and what, and sends the digest through SES."""

import re
from codecs import BOM_UTF8
from datetime import date, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from typing import Any

from handler import aws, clock
from handler.ledger import State
from handler.model import Changes, Report, Severity, Status
from handler.policy import Policy
from handler.report import csv
from handler.report.digest import listed
from handler.report.fit import MOST_LIST_BYTES, fitting, within
from handler.report.html import html
from handler.report.text import text
from handler.settings import Notify, Settings

# What is still open is listed again after that many days without a list of it.
_REMINDER = timedelta(days=7)
# RFC 5322 allows lines of 998 characters. Python folds a long header right after its name, and some
# readers then show a space before the subject.
_LONGEST_LINE = 998
_LONG_HEADERS = SMTP.clone(max_line_length=_LONGEST_LINE)
_TOO_LONG = re.compile(rb"^[^\r\n]{%d}" % (_LONGEST_LINE + 1), re.MULTILINE)
# SES has not taken a message that it throttles, and takes it a little later.
_THROTTLED = frozenset({"TooManyRequestsException", "Throttling", "ThrottlingException"})
_PAUSES = (1, 2, 4)
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
_ADVICE = {
    "AccessDeniedException": "The function's role must be allowed to send from the identity: with "
    "an identity of another stack or a verified domain, set createIdentities to false.",
    "AccountSuspendedException": "AWS has suspended SES for this account: see its console.",
    "LimitExceededException": "The account's sending quota is used up: ask AWS to raise it.",
    "MailFromDomainNotVerifiedException": "Finish the MAIL FROM domain of the identity in SES.",
    "MessageRejected": "Follow the link that SES mailed to each address; in SES's sandbox the "
    "recipients must be verified too.",
    "NotFoundException": "Verify the sender's identity in SES in the function's region.",
    "SendingPausedException": "SES has paused sending for this account: see its console.",
    "TooManyRequestsException": "SES is asked too often: ask AWS for a higher sending rate.",
}


class Occasion(StrEnum):
    """What a mail lists: all that is open, or what has changed."""

    EVERYTHING = "everything"
    CHANGES = "changes"


class MailError(Exception):
    """SES did not take the digest; the message says why and what to do.

    ``refused`` is false where SES did not answer and may have taken it all the same.
    """

    def __init__(self, message: str, *, refused: bool) -> None:
        super().__init__(message)
        self.refused = refused


def occasion(
    notify: Notify, report: Report, policy: Policy, previous: State | None
) -> Occasion | None:
    """What the run mails; None for nothing.

    Without knowledge of what was before, whatever is open is mailed; and so is the reason.
    """
    changes = report.changes
    # What a run said that died is not known, and what it was about may be over by now.
    is_odd = bool(report.notices) and (report.run.whole or changes is None)
    if notify is Notify.ALWAYS or is_odd or (changes and changes.first):
        return Occasion.EVERYTHING
    if notify is Notify.FINDINGS or changes is None:
        is_due = any(listed(policy, report.open)) or not report.complete
        return Occasion.EVERYTHING if is_due else None
    if _has_changed(report, changes, policy):
        return Occasion.CHANGES
    return Occasion.EVERYTHING if _is_reminder_due(report, policy, previous) else None


def compose(
    settings: Settings, report: Report, policy: Policy, what: Occasion = Occasion.EVERYTHING
) -> bytes:
    """The digest as a message, the same once as text and once as HTML, with all findings as CSV."""
    digest = fitting(report, policy, changed_only=what is Occasion.CHANGES)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = settings.sender
    mail["To"] = ", ".join(settings.recipients)
    mail["Subject"] = digest.subject
    # Asks for no out-of-office replies (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text(digest), cte="quoted-printable")
    mail.add_alternative(html(digest), subtype="html", cte="quoted-printable")
    if report.findings:
        rows, left = within(csv.lines(report), MOST_LIST_BYTES)
        name = f"findings-worst-without-{left}.csv" if left else "findings.csv"
        # Plain lines go as they are, which takes a quarter less memory several times over.
        is_plain = rows.isascii() and not _TOO_LONG.search(rows)
        mail.add_attachment(
            # The mark tells Excel that it is UTF-8.
            rows if is_plain else BOM_UTF8 + rows,
            maintype="text",
            subtype="csv",
            filename=name,
            cte="7bit" if is_plain else "base64",
        )
    return mail.as_bytes(policy=_LONG_HEADERS)


def send(ses: Any, settings: Settings, message: bytes) -> None:
    """Hand it to SES, again only where SES surely has not taken it. Raises ``MailError``."""
    for pause in (*_PAUSES, None):
        try:
            ses.send_email(
                FromEmailAddress=settings.sender,
                Destination={"ToAddresses": list(settings.recipients)},
                Content={"Raw": {"Data": message}},
            )
        except aws.FAILURES as error:
            code = aws.code(error)
            if code in _THROTTLED and pause is not None:
                clock.sleep(pause)
                continue
            advice = f" {_ADVICE[code]}" if code in _ADVICE else ""
            told = f"SES did not take the digest: {aws.sentence(error)}{advice}"
            raise MailError(told, refused=aws.is_refusal(error)) from error
        else:
            return


def _has_changed(report: Report, changes: Changes, policy: Policy) -> bool:
    if changes.lost or changes.regained or changes.left_out or changes.ending:
        return True
    opened = (each for each in report.open if each.is_change)
    return any(listed(policy, (*opened, *report.of(Status.RESOLVED))))


def _is_reminder_due(report: Report, policy: Policy, previous: State | None) -> bool:
    listed_at = previous.listed_at if previous else None
    open_findings = listed(policy, report.open)
    urgent = any(each.severity.rank <= Severity.HIGH.rank for each in open_findings)
    return (
        report.run.whole
        and (urgent or not report.complete)
        and (
            listed_at is None
            or report.run.day - date.fromisoformat(listed_at[: len("2026-01-01")]) >= _REMINDER
        )
    )
