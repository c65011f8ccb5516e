"""What tables and other systems are told of a finding, in short plain phrases."""

from handler.model import Attachment, Coverage, Finding, Kind, Report, Status, Target
from handler.policy import Policy
from handler.report import words

_MOST_ATTACHED = 3
_MOST_SOURCES = 10


def listed(report: Report, policy: Policy) -> tuple[Finding, ...]:
    """The findings that people are shown: open ones, what is not known to be closed, accepted."""
    unverified, accepted = report.of(Status.UNVERIFIED), report.of(Status.EXCEPTED)
    return tuple(
        each
        for each in (*report.open, *unverified, *accepted)
        if each.kind is Kind.UNREADABLE or policy.lists(each.severity)
    )


def place(target: Target) -> str:
    """The region and the account."""
    return words.plain(f"{target.region} / {target.account}")


def group(finding: Finding) -> str:
    """The group, or the groups that only together open it."""
    return " together with ".join(words.group(*each) for each in finding.groups)


def opened(finding: Finding) -> str:
    """What is open to whom."""
    return f"{words.traffic(finding.traffic, finding.service)} {words.reach(finding)}"


def opening(finding: Finding) -> str:
    """What is open to whom, and what is wrong with a rule that could not be judged."""
    detail = f"; {words.plain(finding.detail)}" if finding.detail else ""
    return f"{opened(finding)}{detail}"


def attached(finding: Finding) -> str:
    """What the group is attached to."""
    if finding.attachment is Attachment.UNKNOWN:
        return "not known"
    if finding.attachment is Attachment.UNATTACHED:
        return "to nothing"
    return f"{finding.attachment}: {words.listing(finding.attached, _MOST_ATTACHED)}"


def why(finding: Finding) -> str:
    """Why it is that severe."""
    return words.plain(finding.why)


def status(finding: Finding) -> str:
    """Whether the finding is open, and who accepts it or did."""
    said = f": {words.plain(finding.exception)}" if finding.exception else ""
    return f"{finding.status}{said}"


def unread(coverage: Coverage) -> str:
    """What was not read of a target, and why."""
    read = f" after {words.count(coverage.groups, 'group')}" if coverage.groups else ""
    reason = words.plain(coverage.error or "no reason is known.")
    return f"{place(coverage.target)} ({coverage.status}{read}): {reason}"


def sentences(finding: Finding) -> str:
    """All that there is to say about a finding, without a way to close it."""
    sources = words.listing((*finding.sources, *finding.prefix_lists), _MOST_SOURCES)
    parts = {
        "Attached": attached(finding),
        "Sources": sources,
        "Owner": words.plain(finding.owner or ""),
        "Exception": words.plain(finding.exception or ""),
    }
    said = (
        f"{group(finding)} in {place(finding.target)} opens {opening(finding)}",
        why(finding),
        *(f"{name}: {part}" for name, part in parts.items() if part),
    )
    return " ".join(map(_ended, said))


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(".") else f"{sentence}."
