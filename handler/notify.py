"""Decides whether a run mails, and sends the digest through SES."""

from codecs import BOM_UTF8
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from handler import aws
from handler.model import Report, Trigger
from handler.policy import Policy
from handler.report import csv
from handler.report.fit import MOST_LIST_BYTES, fitting, within
from handler.report.html import html
from handler.report.text import text
from handler.settings import Notify, Settings

# Python folds a long header right after its name, and some readers then show a space before the
# subject. RFC 5322 allows lines of 998 characters.
_LONG_HEADERS = SMTP.clone(max_line_length=998)


class MailError(Exception):
    """SES did not take the digest; the message is a sentence that says why."""


def is_wanted(notify: Notify, report: Report, policy: Policy) -> bool:
    """Whether the run mails: somebody waits for it, something is open, or it was not all read."""
    if report.run.trigger is Trigger.MANUAL or notify is Notify.ALWAYS or not report.complete:
        return True
    return any(policy.lists(finding.severity) for finding in report.open)


def compose(settings: Settings, report: Report, policy: Policy) -> EmailMessage:
    """The digest as a mail, the same once as text and once as HTML, with all findings as CSV."""
    digest = fitting(report, policy)
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
        # The mark tells Excel that it is UTF-8.
        mail.add_attachment(BOM_UTF8 + rows, maintype="text", subtype="csv", filename=name)
    return mail


def send(ses: Any, settings: Settings, mail: EmailMessage) -> None:
    """Hand the mail to SES, once. Raises ``MailError``."""
    try:
        ses.send_email(
            FromEmailAddress=settings.sender,
            Destination={"ToAddresses": list(settings.recipients)},
            Content={"Raw": {"Data": mail.as_bytes(policy=_LONG_HEADERS)}},
        )
    except aws.FAILURES as error:
        message = f"SES did not take the digest: {aws.sentence(error)}"
        raise MailError(message) from error
