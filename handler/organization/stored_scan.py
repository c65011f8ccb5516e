"""The scan of one account as a compressed object, with one line of JSON per entry."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from handler.model.finding import Finding
from handler.model.network import ALL_REGIONS, Target
from handler.model.run import Coverage, CoverageStatus
from handler.report.fields import Fields, cause_of
from handler.report.json_lines import LINE_ERRORS, compress_lines, read_lines
from handler.report.json_report import (
    address_set_from_fields,
    addresses_to_json,
    coverage_to_json,
    finding_from_fields,
    finding_to_json,
)

_VERSION = 1
# The largest account that was measured. One account must not be able to exhaust the report
# function.
MAX_FINDINGS = 20_000
_EMPTY: tuple[object, ...] = (None, ())
# Not stored, because they follow from other fields.
_DERIVED = frozenset({"account", "console"})


class ScanError(ValueError):
    """A stored scan that cannot be read; the message is a sentence."""


class AccountScan(NamedTuple):
    """How much of an account was read, and its findings after the policy was applied.

    ``authorized`` are findings on authorized ports; ``used`` are the keys of the exceptions that
    are about any finding. ``read_later`` are targets that another run has read since, whose use of
    exceptions is not known; it is not stored.
    """

    coverage: tuple[Coverage, ...]
    findings: tuple[Finding, ...] = ()
    authorized: tuple[Finding, ...] = ()
    used: frozenset[str] = frozenset()
    read_later: tuple[Coverage, ...] = ()


def failed_scan(account: str, error: str, began_at: str) -> AccountScan:
    """The scan of an account that could not be read."""
    target = Target(account, ALL_REGIONS)
    return AccountScan((Coverage(target, CoverageStatus.FAILED, error=error, read_at=began_at),))


def bounded(scan: AccountScan) -> AccountScan:
    """The scan with the worst findings; a target that loses some counts as not read."""
    findings = sorted(scan.findings, key=lambda finding: finding.sort_key)
    left_out = {finding.target for finding in findings[MAX_FINDINGS:]}
    left_out |= {finding.target for finding in scan.authorized[MAX_FINDINGS:]}
    error = f"it has more than {MAX_FINDINGS:,} findings, the most that is kept for one account."
    return scan._replace(
        coverage=tuple(
            c._replace(status=CoverageStatus.FAILED, error=" ".join(filter(None, (c.error, error))))
            if c.target in left_out
            else c
            for c in scan.coverage
        ),
        findings=tuple(findings[:MAX_FINDINGS]),
        authorized=scan.authorized[:MAX_FINDINGS],
    )


def encode_scan(account: str, scan: AccountScan) -> bytes:
    """The scan, compressed; the same bytes for the same scan."""
    return compress_lines(_lines(account, scan))


def decode_scan(stored: bytes, account: str) -> AccountScan:
    """The scan in that object. Raises ``ScanError``."""
    try:
        lines = read_lines(stored)
        heading = next(lines)
        if heading.integer("version") != _VERSION or heading.text("account") != account:
            raise ValueError("another version or account")
        coverage = tuple(_coverage(line, account) for line in _next(lines, heading, "coverage"))
        findings = tuple(_finding(line, account) for line in _next(lines, heading, "findings"))
        authorized = tuple(_finding(line, account) for line in _next(lines, heading, "authorized"))
        if next(lines, None) is not None:
            raise ValueError("there is more than its heading says")
        return AccountScan(coverage, findings, authorized, frozenset(heading.texts("used")))
    except (*LINE_ERRORS, StopIteration) as error:
        raise ScanError(f"its scan cannot be read {cause_of(error)}.") from error


def _lines(account: str, scan: AccountScan) -> Iterator[dict[str, Any]]:
    """A heading with the number of lines of each kind, then coverage and findings."""
    yield {
        "version": _VERSION,
        "account": account,
        "used": sorted(scan.used),
        "coverage": len(scan.coverage),
        "findings": len(scan.findings),
        "authorized": len(scan.authorized),
    }
    yield from map(_coverage_to_json, scan.coverage)
    yield from map(_finding_to_json, scan.findings)
    yield from map(_finding_to_json, scan.authorized)


def _next(lines: Iterator[Fields], heading: Fields, key: str) -> Iterator[Fields]:
    """As many lines as the heading says. Raises ``ValueError`` if there are fewer."""
    for _ in range(heading.count(key)):
        line = next(lines, None)
        if line is None:
            raise ValueError("the end is missing")
        yield line


def _coverage_to_json(coverage: Coverage) -> dict[str, Any]:
    return {k: v for k, v in coverage_to_json(coverage).items() if k not in _DERIVED}


def _coverage(line: Fields, account: str) -> Coverage:
    return Coverage(
        Target(account, line.text("region")),
        line.member("status", CoverageStatus),
        line.count("groups"),
        line.count("rules"),
        line.optional_text("error"),
        line.optional_text("notice"),
        line.text("readAt") and line.time("readAt"),
    )


def _finding_to_json(finding: Finding) -> dict[str, Any]:
    fields = finding_to_json(finding)
    return {
        **{k: v for k, v in fields.items() if v not in _EMPTY and k not in _DERIVED},
        "addressSet": addresses_to_json(finding.address_set),
    }


def _finding(line: Fields, account: str) -> Finding:
    return finding_from_fields(line, address_set_from_fields(line.object("addressSet")), account)
