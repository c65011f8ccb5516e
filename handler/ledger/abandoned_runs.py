"""Runs that stopped between their mail and the commit: how long the head remembers them."""

from collections.abc import Iterable, Iterator

from handler.ledger.head import AbandonedRun
from handler.model.audit_report import Report

_NOTICE = (
    "Run {} stopped before it could record its mail; this mail may repeat some of its findings."
)


def notices(abandoned: Iterable[AbandonedRun]) -> Iterator[str]:
    """A sentence for each run that no full digest has mentioned yet."""
    return (_NOTICE.format(run.run) for run in abandoned if not run.is_announced)


def remaining(
    abandoned: Iterable[AbandonedRun],
    report: Report,
    *,
    is_announced: bool,
    finished_run: str | None,
) -> tuple[AbandonedRun, ...]:
    """The runs not yet mentioned in a full digest, or with findings still to resolve.

    ``is_announced`` is true if the run of the report has mailed a full digest. ``finished_run`` is
    its id if it has finished what an earlier attempt at it had begun to mail.
    """
    is_announced = is_announced and report.run.is_full
    runs = (run._replace(is_announced=run.is_announced or is_announced) for run in abandoned)
    return tuple(run for run in runs if run.run != finished_run and not _is_settled(run, report))


def _is_settled(abandoned: AbandonedRun, report: Report) -> bool:
    """Whether mails have mentioned the run, and all that it may have mailed was read since."""
    written = (pointer.written_at for pointer in abandoned.accounts.values())
    last_written = max(written, default=abandoned.at)
    is_read = abandoned.run == report.run.id or last_written <= report.run.started_at
    return report.run.is_full and not report.unread and abandoned.is_announced and is_read
