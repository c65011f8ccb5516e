"""A finding in short phrases, for the formats that people read: the table and Markdown."""

import re
from collections.abc import Iterator, Sequence

from handler.clock import day_of
from handler.model.address import Family, family_of
from handler.model.attachment import Attachment
from handler.model.audit_report import Report
from handler.model.finding import Change, Finding, Opening, Status, as_openings
from handler.model.network import Target
from handler.report import phrases
from handler.sanitize import plain

_NAMED_GROUPS = 2
# As they follow the name of an interface's holder, which may contain others.
_ADDRESSES = re.compile(r"(?:, [0-9a-f]*[.:][0-9a-f.:]+)+(?= and [0-9,]+ more$|$)")


def displayed_openings(report: Report) -> tuple[Opening, ...]:
    """What people are shown, a line each: open findings, unverified ones, accepted ones."""
    unverified = report.with_status(Status.UNVERIFIED)
    findings = (*report.open, *unverified, *report.with_status(Status.EXCEPTED))
    return as_openings(report.listed(findings))


def service_and_ports(opening: Opening) -> str:
    """The service, its protocol and ports, and the families unless it is IPv4 alone."""
    finding = opening.finding
    families = {f.family for f in opening.findings} - {None, Family.IPV4}
    family = f" {'IPv4+' * (opening.twin is not None)}IPv6" if families else ""
    return plain(" ".join(filter(None, (finding.service, finding.traffic.text)))) + family


def group_names(finding: Finding) -> str:
    """The names of the group or of the first joint groups; ids for missing names."""
    names = [name if name.strip() else group_id for group_id, name in finding.groups]
    first, *joint = names
    return plain(first) + (f" + {phrases.join_first(joint, _NAMED_GROUPS)}" if joint else "")


def region(target: Target, report: Report) -> str:
    """The region, and the account if the report is about several."""
    return phrases.region(target, report.names if report.totals.accounts > 1 else None)


def facts(opening: Opening) -> tuple[str, ...]:
    """What else there is to know, in short: path, reason, status, owner, and the ids to look up."""
    finding, findings = opening.finding, opening.findings
    rule_ids = [rule_id for f in findings for rule_id in f.rule_ids]
    ids = rule_ids or [group_id for group_id, _ in finding.groups]
    details = (
        *_path(opening),
        *(_clause(phrases.detail(f, with_command=False)) for f in findings),
        finding.exception,
        _seen(finding),
        *(f"opened by: {opener}" for f in findings if (opener := phrases.opened_by(f))),
        finding.owner and f"owner: {finding.owner}",
        finding.managed_by and f"managed by {finding.managed_by}",
        _first(ids, sum(f.rule_count for f in findings) if rule_ids else 0),
    )
    return tuple(dict.fromkeys(plain(detail) for detail in details if detail))


def _clause(detail: str) -> str:
    """The detail without a full stop; the three dots of an error that was cut stay."""
    return detail if detail.endswith("...") else detail.removesuffix(".")


def _path(opening: Opening) -> Iterator[str]:
    """The public addresses that lead to it, and what else but the service sets the severity."""
    finding = opening.finding
    why = finding.why.removesuffix(".")
    reason = why.partition(", but ")[2]
    addresses = [_first(found) for f in opening.findings if (found := _addresses(f))]
    if finding.attachment is Attachment.INTERNET_FACING and addresses:
        yield f"public {', '.join(addresses)}"
    else:
        reason = reason or why.partition("); ")[2]
    yield phrases.shortened(reason)


def _first(items: Sequence[str], total: int = 0) -> str:
    """The first item, and how many more there are of ``total`` or of these."""
    more = max(total, len(items)) - 1
    return items[0] + (f" +{more:,}" if more else "")


def _addresses(finding: Finding) -> list[str]:
    """The public addresses of its interfaces that are of its family."""
    found = filter(None, map(_ADDRESSES.search, finding.attached))
    addresses = (address for match in found for address in match[0].split(", ")[1:])
    return [a for a in addresses if finding.family in {None, family_of(a)}]


def _seen(finding: Finding) -> str:
    """Since when it is open, if that is known; empty if its exception says more."""
    if finding.change is Change.WORSENED:
        return f"was {finding.previously[0].severity}"
    if finding.change:
        was = [p.traffic.text for p in finding.previously if p.traffic != finding.traffic]
        return f"{finding.change}, was {', '.join(was)}" if was else str(finding.change)
    if finding.status is Status.OPEN:
        is_known = finding.first_seen and finding.first_seen != finding.last_seen
        return f"since {day_of(finding.first_seen or '')}" if is_known else ""
    return "" if finding.status is Status.EXCEPTED and finding.exception else str(finding.status)
