"""Composes a digest as a message, and sends it through SES."""

from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from handler import aws, clock
from handler.csv_attachment import CsvAttachment, csv_of
from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.model.run import MailError
from handler.report.headers import LONGEST_LINE, headers_of
from handler.report.html import render_html
from handler.report.size_limit import fit_digest
from handler.report.text import render_text
from handler.settings import Settings

# Python folds a long header right after its name, and some readers then show a space before the
# subject.
_LONG_HEADERS = SMTP.clone(max_line_length=LONGEST_LINE)
# SES does not accept a message that it throttles, but will a little later.
_THROTTLED = frozenset({"TooManyRequestsException", "Throttling", "ThrottlingException"})
_RETRY_PAUSES = (1, 2, 4)
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


def compose(
    settings: Settings,
    report: Report,
    kind: DigestKind = DigestKind.FULL,
    csv: CsvAttachment | None = None,
) -> bytes:
    """The digest as a message: as text and as HTML, with the listed findings as CSV.

    ``csv`` has the findings of a report that does not hold them itself.
    """
    with nullcontext(csv) if csv else closing(csv_of(report)) as rows:
        if rows.problem:
            report = replace(report, notices=(*report.notices, rows.problem))
        digest = fit_digest(report, kind)
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = digest.subject
        for name, value in headers_of(settings.sender, settings.recipients, report.run).items():
            mail[name] = value
        mail.set_content(render_text(digest), cte="quoted-printable")
        mail.add_alternative(render_html(digest), subtype="html", cte="quoted-printable")
        if report.totals.statuses if csv else report.listed(report.findings):
            rows.attach(mail)
    return mail.as_bytes(policy=_LONG_HEADERS)


def send(
    ses: Any, settings: Settings, message: bytes, before_attempt: Callable[[], None] = lambda: None
) -> None:
    """Send a message through SES; again only if SES throttled it. Raises ``MailError``.

    ``before_attempt`` is called before each call to SES.
    """
    for pause in (*_RETRY_PAUSES, None):
        before_attempt()
        try:
            ses.send_email(
                FromEmailAddress=settings.sender,
                Destination={"ToAddresses": list(settings.recipients)},
                Content={"Raw": {"Data": message}},
            )
        except aws.FAILURES as error:
            code = aws.error_code(error)
            if code in _THROTTLED and pause is not None:
                clock.sleep(pause)
                continue
            advice = f" {_ADVICE[code]}" if code in _ADVICE else ""
            problem = f"SES did not accept the digest: {aws.error_text(error)}{advice}"
            raise MailError(problem, refused=aws.is_refusal(error)) from error
        else:
            return
