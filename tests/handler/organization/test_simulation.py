"""An organization of 5,000 accounts, of which one in a hundred leaves no result."""

import gzip
import json
import re

import pytest

from handler.model.network import Target
from handler.model.run import AuditIncompleteError, Coverage, CoverageStatus
from handler.organization.stored_scan import AccountScan, encode_scan
from tests.support.organization import MemoryOrganization
from tests.support.stack import unwrapped

ACCOUNTS = tuple(f"{number:012}" for number in range(5_000))
DEAD = frozenset(ACCOUNTS[7::100])


def test_every_account_is_read_or_said_in_one_mail(organization: MemoryOrganization) -> None:
    """4,950 are read and 50 are said: no account is missing, and there is one mail."""
    organization.configure(accounts=ACCOUNTS)
    organization.start(run="e1")
    s3 = organization.account.client("s3")
    for account in sorted(set(ACCOUNTS) - DEAD):
        coverage = Coverage(Target(account, "eu-west-1"), CoverageStatus.OK, 1, 1)
        body = encode_scan(account, AccountScan((coverage,)))
        s3.put_object(Bucket="ledger", Key=f"scans/e1/{account}.json.gz", Body=body)
    with pytest.raises(AuditIncompleteError, match="ended without a result"):
        organization.report("e1")
    assert organization.subjects == [
        "50 accounts not read; nothing open to the internet in 4,950 accounts"
    ]
    stored = gzip.decompress(organization.stored("reports/2026/11/23/e1.json.gz"))
    coverage_by_status: dict[str, set[str]] = {"ok": set(), "failed": set()}
    for target in json.loads(stored)["coverage"]:
        coverage_by_status[target["status"]].add(target["account"])
    assert coverage_by_status == {"ok": set(ACCOUNTS) - DEAD, "failed": set(DEAD)}
    (line,) = re.findall(
        r"\d{12} \(failed\): .*? The same in .*?\.", unwrapped(organization.texts[0])
    )
    assert set(re.findall(r"\d{12}", line)) == DEAD
    assert len(organization.head.accounts) == 5_000
    problem = organization.head.runs[-1].problem
    assert problem.endswith("40 more were not read.")
