"""The stored scan of an account is read strictly: half of one must not look like all of it."""

import gzip
import json

import pytest

from handler.model.run import Coverage, CoverageStatus
from handler.organization import stored_scan
from handler.organization.stored_scan import (
    AccountScan,
    ScanError,
    bounded,
    decode_scan,
    encode_scan,
)
from tests.support.reports import ACCOUNT, IRELAND, read
from tests.support.security_groups import answer, permission

COVERAGE = Coverage(IRELAND, CoverageStatus.OK, 3, 4, read_at="2026-11-23T06:00:00.000Z")
FIRST, SECOND, THIRD = read(
    answer(permission("tcp", 22, 22, "0.0.0.0/0"), permission("tcp", 80, 80, "0.0.0.0/0")),
    answer(permission("tcp", 443, 443, "8.8.8.0/24"), group_id="sg-2"),
).findings
FIRST, SECOND, THIRD = (
    finding._replace(rules=(), redundant_rules=()) for finding in (FIRST, SECOND, THIRD)
)
SCAN = AccountScan(
    (COVERAGE,), (FIRST, SECOND), (THIRD,), frozenset({"web|tcp/22|None|None|None|2027-01-01"})
)


def test_a_scan_is_read_as_it_was_stored() -> None:
    """Coverage, findings, authorized openings and used exceptions are the same."""
    assert decode_scan(encode_scan(ACCOUNT, SCAN), ACCOUNT) == SCAN


def stored_lines() -> list[bytes]:
    """The lines of the stored scan."""
    return gzip.decompress(encode_scan(ACCOUNT, SCAN)).splitlines()


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="not-compressed"),
        pytest.param(encode_scan(ACCOUNT, SCAN)[:-20], id="half"),
        pytest.param(gzip.compress(b""), id="no-line"),
        pytest.param(gzip.compress(b"\n".join(stored_lines()[:-1])), id="a-line-less"),
        pytest.param(
            gzip.compress(b"\n".join([*stored_lines(), stored_lines()[-1]])), id="a-line-more"
        ),
        pytest.param(encode_scan("222233334444", SCAN), id="another-account"),
        pytest.param(
            gzip.compress(json.dumps({"version": 2, "account": ACCOUNT}).encode()), id="newer"
        ),
    ],
)
def test_an_odd_scan_is_refused(stored: bytes) -> None:
    """The ScanError is a sentence about the scan."""
    with pytest.raises(ScanError, match=r"^its scan cannot be read \("):
        decode_scan(stored, ACCOUNT)


def test_too_many_findings_are_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst ones stay, and the region that lost some was not read in full."""
    monkeypatch.setattr(stored_scan, "MAX_FINDINGS", 1)
    scan = bounded(SCAN)
    assert [f.id for f in scan.findings] == [min(SCAN.findings, key=lambda f: f.sort_key).id]
    assert scan.coverage[0].status is CoverageStatus.FAILED
    assert scan.coverage[0].error == (
        "it has more than 1 findings, the most that is kept for one account."
    )
