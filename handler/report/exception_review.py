"""The exceptions that need attention, and how to accept a finding."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta

from handler.model.attachment import Attachment
from handler.model.audit_report import Report
from handler.model.finding import Kind, Opening
from handler.model.network import Holder
from handler.model.policy_exception import PolicyException
from handler.model.traffic import ALL_PROTOCOLS, ICMP_PROTOCOLS, LAST_PORT, Traffic
from handler.report import phrases
from handler.report.phrases import first_lines
from handler.sanitize import cut, plain

_ACCEPTED_FOR = timedelta(days=90)
_WEB = (Traffic("tcp", 80, 80), Traffic("tcp", 443, 443))


def exceptions_to_review(report: Report, max_lines: int | None = None) -> Iterator[str]:
    """The exceptions that need attention, without duplicates, the most urgent first."""
    review, noun = report.exceptions, "exception"
    for verb, exceptions in (("Expired", review.expired), ("Expires", review.expiring)):
        lines = (
            f"{verb} on {exception.until}"
            f"{' and matches nothing' if exception in review.unused else ''}: "
            f"{_describe(exception)}"
            for exception in exceptions
        )
        yield from first_lines(lines, max_lines, noun)
    dated = {*review.expired, *review.expiring}
    unused = (exception for exception in review.unused if exception not in dated)
    lines = (f"Matches nothing: {_describe(exception)}" for exception in unused)
    yield from first_lines(lines, max_lines, noun)


def ways_to_accept(report: Report, openings: Sequence[Opening]) -> Iterator[str]:
    """How to accept the first finding, and the web ports of public load balancers."""
    findings = [opening.finding for opening in openings]
    # A joint finding would need an exception for each of its groups.
    single = (finding for finding in findings if finding.kind is Kind.EXPOSURE)
    if finding := next(single, None):
        exception = {
            "group": finding.group_id,
            "ports": policy_ports(finding.traffic),
            **({"account": finding.target.account} if report.spans_accounts else {}),
            "reason": "WHY",
            "owner": "WHO",
            "until": (report.run.day + _ACCEPTED_FOR).isoformat(),
        }
        line = plain(json.dumps(exception, ensure_ascii=False))
        if len(line) <= phrases.LONGEST_LINE:
            name = cut(phrases.group_names(finding), phrases.LONGEST_NAME)
            yield f"Is {name} open on purpose? Add to exceptions: {line}"
    public = {
        f.traffic
        for f in findings
        if f.attachment is Attachment.INTERNET_FACING
        and "".join(f.attached[:1]).startswith(f"{Holder.LOAD_BALANCER} ")
    }
    if ports := [f"tcp/{web.from_port}" for web in _WEB if web in public]:
        yield f"Public web servers? Add {' and '.join(ports)} to authorizedPorts."


def policy_ports(traffic: Traffic) -> str:
    """The traffic in a policy's format, for example tcp/8000-8010, icmp/8 or protocol/50."""
    protocol = traffic.protocol
    if protocol in ICMP_PROTOCOLS:
        numbers = [n for n in (traffic.icmp_type, traffic.icmp_code) if n is not None]
        return "/".join(map(str, (protocol, *numbers)))
    if protocol == ALL_PROTOCOLS or traffic.ports == (0, LAST_PORT):
        return f"protocol/{protocol}" if protocol.isdecimal() else protocol
    low, high = traffic.ports
    return f"{protocol}/{low}" if low == high else f"{protocol}/{low}-{high}"


def _describe(exception: PolicyException) -> str:
    source = f" from {exception.source}" if exception.source else ""
    places = {"region": exception.region, "account": exception.account}
    scope = "".join(f" in {name} {place}" for name, place in places.items() if place)
    return (
        f"{exception.ports}{source} on {exception.group}{scope}, "
        f"owner {exception.owner}, reason: {exception.reason}"
    )
