"""The digest's entry for a finding: what is open, where, why, since when, how to close it."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from handler.model.finding import Change, Finding, Kind, Opening, Previous, Status
from handler.model.reach import Reach
from handler.report import phrases
from handler.report.commands import Command, commands_of
from handler.sanitize import cut

_CHANGES = {Change.WIDENED: "Widened", Change.NARROWED: "Narrowed", Change.WORSENED: "Worse"}


class Entry(NamedTuple):
    """The entry for one opening.

    ``label`` is its severity or kind of change, ``group`` the groups' names. ``facts`` are phrases,
    ``details`` sentences.
    """

    title: str
    families: str
    label: str
    group: str
    group_ids: str
    console: str | None
    place: str
    facts: tuple[str, ...]
    details: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()


# A digest is built several times to see how much fits.
@lru_cache(512)
def open_entry(opening: Opening, label: str, place: str, *, with_commands: bool) -> Entry:
    """The entry for an open finding; ``place`` is its region, or region and account."""
    finding = opening.finding
    commands = commands_of(opening) if with_commands else ()
    details = list(_details(opening, with_command=bool(commands)))
    if commands and finding.managed_by:
        owner = cut(finding.managed_by, phrases.LONGEST_NAME)
        details.append(f"Change it in {owner}: a manual change is undone or drifts.")
    people = _people(opening, with_manager=not commands)
    facts = (*_path(finding), *_history(finding), *people)
    return _entry(opening, label, place, facts, details, commands)


def closed_entry(opening: Opening, place: str) -> Entry:
    """The entry for a finding that is resolved or no longer listed."""
    finding = opening.finding
    facts, since = [f"was {finding.severity}"], "first seen"
    if finding.status.is_open:
        facts, since = [f"now {finding.severity}", phrases.reason(finding)], "open since"
    if finding.first_seen:
        facts.append(f"{since} {phrases.day(finding.first_seen)}")
    details = _details(opening, with_command=False)
    return _entry(opening, "", place, filter(None, facts), details)


def change_label(finding: Finding) -> str:
    """How the finding differs from the last run: New, Reopened, Widened, Worse or Narrowed."""
    if finding.status in {Status.NEW, Status.REOPENED}:
        return finding.status.capitalize()
    return _CHANGES[finding.change] if finding.change else ""


def _entry(
    opening: Opening,
    label: str,
    place: str,
    facts: Iterable[str],
    details: Iterable[str],
    commands: tuple[Command, ...] = (),
) -> Entry:
    finding = opening.finding
    return Entry(
        title=cut(phrases.title(finding), phrases.LONGEST_NAME),
        families=phrases.families(opening),
        label=label,
        group=cut(phrases.group_names(finding), phrases.LONGEST_LINE),
        group_ids=cut(" + ".join(group_id for group_id, _ in finding.groups), phrases.LONGEST_LINE),
        console=phrases.console_url(finding),
        place=cut(place, 2 * phrases.LONGEST_NAME),
        facts=tuple(cut(fact, phrases.LONGEST_LINE) for fact in facts),
        details=tuple(cut(detail, 2 * phrases.LONGEST_LINE) for detail in details),
        commands=commands,
    )


def _path(finding: Finding) -> Iterator[str]:
    """What the group is attached to, who gets in, and why the severity is lower."""
    reason = phrases.reason(finding)
    if finding.kind is Kind.JOINT:
        yield "open only together"
    if finding.attached:
        yield phrases.interfaces(finding)
    is_named = "get in" in reason or "gets in" in reason
    if finding.addresses is not None and finding.reach is not Reach.WORLD and not is_named:
        yield f"open to {phrases.audience(finding)}"
    if reason:
        yield reason


def _history(finding: Finding) -> Iterator[str]:
    """What a changed finding was, and since when it is open; nothing if it has not changed."""
    if finding.previously:
        yield from _former(finding, finding.previously[0], finding.previously_count)
    elif finding.status is not Status.REOPENED:
        return
    if finding.first_seen:
        verb = "first seen" if finding.status is Status.REOPENED else "open since"
        yield f"{verb} {phrases.day(finding.first_seen)}"


def _former(finding: Finding, before: Previous, number: int) -> Iterator[str]:
    if before.traffic != finding.traffic:
        yield f"was {phrases.join_first([before.traffic.text], 1, total=number)}"
    elif before.addresses is not None and before.addresses != finding.addresses:
        is_all = before.reach is Reach.WORLD
        yield f"was open to {'the internet' if is_all else phrases.addresses(before.addresses)}"
    if before.severity is not finding.severity:
        yield f"was {before.severity}"


def _people(opening: Opening, *, with_manager: bool) -> Iterator[str]:
    """Who opened the finding, who owns the group, and what manages the group."""
    finding = opening.finding
    openers = filter(None, map(phrases.opened_by, opening.findings))
    yield from (f"opened by: {opener}" for opener in dict.fromkeys(openers))
    if finding.owner:
        yield f"owner: {cut(finding.owner, phrases.LONGEST_NAME)}"
    if finding.managed_by and with_manager:
        yield f"managed by {cut(finding.managed_by, phrases.LONGEST_NAME)}"


def _details(opening: Opening, *, with_command: bool) -> Iterator[str]:
    findings = opening.findings
    details = (phrases.detail(f, with_command=with_command) for f in findings)
    yield from dict.fromkeys(
        text for f, text in zip(findings, details, strict=True) if text and text not in f.why
    )
    yield from dict.fromkeys(f.exception for f in findings if f.exception)
    finding = opening.finding
    if finding.flips and finding.flipping_since:
        times = phrases.count(finding.flips, "time")
        yield f"changed {times} since {phrases.day(finding.flipping_since)}"
