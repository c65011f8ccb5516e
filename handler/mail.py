"""Decides whether a run mails a digest and which, composes it, and sends it through SES."""

import re
from codecs import BOM_UTF8
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from tempfile import TemporaryFile
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from handler import aws, clock
from handler.model.finding import Severity
from handler.model.run import Changes, MailError, Report, Run
from handler.report.csv import HEADING, csv_rows
from handler.report.digest import DigestKind
from handler.report.envelope import envelope, file_name
from handler.report.html import render_html
from handler.report.size_limit import fit_digest
from handler.report.text import render_text
from handler.settings import Notify, Settings

# Everything that is open is mailed again after this time without a full digest.
_REMINDER_INTERVAL = timedelta(days=7)
# RFC 5322 allows lines of 998 characters. Python folds a long header right after its name, and some
# readers then show a space before the subject.
_LONGEST_LINE = 998
_LONG_HEADERS = SMTP.clone(max_line_length=_LONGEST_LINE)
_MAX_PLAIN_CSV = 1_000_000
# SES accepts 40 MB including base64, which makes attachments a third longer.
_MAX_ZIPPED_CSV = 25_000_000
_CSV_IS_FULL = (
    "The CSV has room for {:,} findings; {:,} more are in the report in the ledger's bucket only."
)
_TOO_LONG = re.compile(rb"^[^\r\n]{%d}" % (_LONGEST_LINE + 1), re.MULTILINE)
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


def choose_digest(
    notify: Notify, report: Report, last_full_digest_at: str | None
) -> DigestKind | None:
    """Which digest the run mails; None for none.

    Without an earlier state, everything that is open is mailed, with the reason.
    """
    changes = report.changes
    # It is not known what an abandoned run mailed, and its findings may be closed by now.
    has_problem = bool(report.notices) and (report.run.is_full or changes is None)
    if notify is Notify.ALWAYS or has_problem or (changes and changes.first):
        return DigestKind.FULL
    if notify is Notify.FINDINGS or changes is None:
        is_due = report.openings or not report.is_complete
        return DigestKind.FULL if is_due else None
    # Frequent changes must not delay the digest that repeats everything that is open.
    if changes.has_new_settings or _is_reminder_due(report, last_full_digest_at):
        return DigestKind.FULL
    return DigestKind.CHANGES if _has_changed(report, changes) else None


class CsvFile:
    """Findings as CSV, compressed while written, because a mail is in memory several times."""

    def __init__(self, run: Run) -> None:
        parts = ("security-groups", file_name(run.stack), str(run.day))
        self._name = f"{'-'.join(filter(None, parts))}.csv"
        self._file = TemporaryFile()  # noqa: SIM115 -- it is open as long as the report
        self._archive = ZipFile(self._file, "w")
        # The same report gives the same file at any time.
        member = ZipInfo(self._name, run.day.timetuple()[:6])
        member.compress_type = ZIP_DEFLATED
        self._member = self._archive.open(member, "w", force_zip64=True)
        self._rows = self._left_out = 0
        # The byte order mark tells Excel that it is UTF-8.
        self._member.write(BOM_UTF8 + HEADING.encode())

    def write(self, lines: str) -> None:
        """Add one or more rows, as long as there is room."""
        number = lines.count("\r\n")
        if self._file.tell() > _MAX_ZIPPED_CSV:
            self._left_out += number
            return
        self._rows += number
        self._member.write(lines.encode())

    @property
    def problem(self) -> str | None:
        """A sentence if some findings were left out, else None."""
        return _CSV_IS_FULL.format(self._rows, self._left_out) if self._left_out else None

    def attach(self, mail: EmailMessage) -> None:
        """Attach all rows; a long file zipped."""
        self._member.close()
        self._archive.close()
        archive = ZipFile(self._file)
        if archive.getinfo(self._name).file_size > _MAX_PLAIN_CSV:
            self._file.seek(0)
            mail.add_attachment(
                self._file.read(),
                maintype="application",
                subtype="zip",
                filename=f"{self._name}.zip",
            )
            return
        rows = archive.read(self._name)
        text = rows.removeprefix(BOM_UTF8)
        # ASCII needs neither the mark nor base64.
        is_plain = text.isascii() and not _TOO_LONG.search(text)
        mail.add_attachment(
            text if is_plain else rows,
            maintype="text",
            subtype="csv",
            filename=self._name,
            cte="7bit" if is_plain else "base64",
        )

    def close(self) -> None:
        """Remove the file."""
        self._member.close()
        self._archive.close()
        self._file.close()


def compose(
    settings: Settings,
    report: Report,
    kind: DigestKind = DigestKind.FULL,
    csv: CsvFile | None = None,
) -> bytes:
    """The digest as a message: as text and as HTML, with the listed findings as CSV.

    ``csv`` has the findings of a report that does not hold them itself.
    """
    with nullcontext(csv) if csv else closing(_csv_of(report)) as rows:
        if rows.problem:
            report = replace(report, notices=(*report.notices, rows.problem))
        digest = fit_digest(report, kind)
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = digest.subject
        for name, value in envelope(settings.sender, settings.recipients, report.run).items():
            mail[name] = value
        mail.set_content(render_text(digest), cte="quoted-printable")
        mail.add_alternative(render_html(digest), subtype="html", cte="quoted-printable")
        if report.totals.statuses if csv else report.listed(report.findings):
            rows.attach(mail)
    return mail.as_bytes(policy=_LONG_HEADERS)


def _csv_of(report: Report) -> CsvFile:
    csv = CsvFile(report.run)
    for row in csv_rows(report):
        csv.write(row)
    return csv


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


def _has_changed(report: Report, changes: Changes) -> bool:
    targets = changes.lost or changes.regained or changes.left_out
    accounts = changes.departed or changes.returned
    return bool(targets or accounts or changes.ending) or report.has_news


def _is_reminder_due(report: Report, last_full_digest_at: str | None) -> bool:
    is_urgent = any(s.is_at_least(Severity.HIGH) for s, n in report.openings.counts.items() if n)
    if not report.run.is_full or (report.is_complete and not is_urgent):
        return False
    return is_reminder_day(report.run.day, last_full_digest_at)


def is_reminder_day(day: date, last_full_digest_at: str | None) -> bool:
    """Whether the last full digest was mailed seven or more days ago."""
    if last_full_digest_at is None:
        return True
    last_day = date.fromisoformat(clock.day_of(last_full_digest_at))
    # Of two runs around midnight the earlier one may end last; a later day comes from a wrong
    # clock.
    return not -timedelta(days=1) <= day - last_day < _REMINDER_INTERVAL
