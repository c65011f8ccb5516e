"""The scan of one account: entered by its role, read, assessed by the policy, and stored once."""

import json

import pytest

from handler.model.run import CoverageStatus
from handler.organization import scan_account
from handler.organization.plan import PlanError
from handler.organization.stored_scan import AccountScan, decode_scan
from handler.policy.policy import Policy
from tests.support.organization import AUDIT_ACCOUNT, MemoryOrganization, refusal

SHOP = "222233334444"


@pytest.fixture(autouse=True)
def shop(organization: MemoryOrganization) -> None:
    """An account with one open group."""
    organization.join(SHOP, "shop")
    organization.open(SHOP, "web")


def scan(organization: MemoryOrganization, account: str = SHOP, **event: object) -> AccountScan:
    """Run the function; what it stored."""
    child = {
        "run": "e1",
        "startedAt": "2026-11-23T05:59:00Z",
        "item": {"account": account, "name": "shop"},
    }
    answer = scan_account.lambda_handler({**child, **event}, organization.context("e1"))
    assert answer == {}
    return decode_scan(organization.stored(f"scans/e1/{account}.json.gz"), account)


def test_an_account_is_entered_by_its_role(organization: MemoryOrganization) -> None:
    """All regions of the settings are read with it, and its findings are stored."""
    organization.configure(units=("r-root",), external_id="shared-id")
    stored = scan(organization)
    role = f"arn:aws:iam::{SHOP}:role/security-group-audit"
    assert organization.entered == [{"role": role, "externalId": "shared-id"}]
    assert [(c.target.region, c.status) for c in stored.coverage] == [
        ("eu-west-1", CoverageStatus.OK),
        ("us-east-1", CoverageStatus.OK),
    ]
    assert [(f.group_name, f.target.account) for f in stored.findings] == [("web", SHOP)]


def test_the_audits_own_account_needs_no_role(organization: MemoryOrganization) -> None:
    """It is read by the function's own role."""
    organization.join(AUDIT_ACCOUNT, "audit")
    organization.open(AUDIT_ACCOUNT, "web")
    stored = scan(organization, AUDIT_ACCOUNT)
    assert organization.entered == []
    assert len(stored.findings) == 1


def test_an_item_may_name_regions(organization: MemoryOrganization) -> None:
    """Only these are read."""
    item = {"account": SHOP, "name": None, "regions": ["us-east-1"]}
    stored = scan(organization, item=item)
    assert [c.target.region for c in stored.coverage] == ["us-east-1"]


def test_an_account_that_does_not_trust_the_audit_is_denied(
    organization: MemoryOrganization,
) -> None:
    """The coverage has the words of AWS, and the function succeeds."""
    organization.members[SHOP].trusts = False
    (coverage,) = scan(organization).coverage
    assert (coverage.target.region, coverage.status) == ("all", CoverageStatus.DENIED)
    assert coverage.error == (
        "AccessDenied: User is not authorized to perform: sts:AssumeRole on resource: "
        f"arn:aws:iam::{SHOP}:role/security-group-audit."
    )


@pytest.mark.parametrize(
    ("cause", "error"),
    [
        (
            json.dumps({"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"}),
            "its scan failed: Lambda.Unknown: signal: killed",
        ),
        ("Task timed out", "its scan failed: Lambda.Unknown: Task timed out"),
        ("", "its scan failed: Lambda.Unknown"),
    ],
)
def test_a_failure_is_stored_in_place_of_a_scan(
    organization: MemoryOrganization, cause: str, error: str
) -> None:
    """The state machine's note becomes a failed coverage with Lambda's words."""
    (coverage,) = scan(organization, failure={"Error": "Lambda.Unknown", "Cause": cause}).coverage
    assert (coverage.status, coverage.error) == (CoverageStatus.FAILED, error)


def test_the_first_result_stays(organization: MemoryOrganization) -> None:
    """A retry, or a note that follows a scan, changes nothing."""
    first = scan(organization)
    organization.open(SHOP, "database")
    assert scan(organization) == first
    assert scan(organization, failure={"Error": "States.Timeout", "Cause": ""}) == first


def test_the_policy_is_applied(
    organization: MemoryOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exceptions of the account accept a finding; authorized ports are kept apart."""
    organization.open(SHOP, "public", port=443)
    exception = {
        "group": "web",
        "ports": "tcp/22",
        "reason": "bastion",
        "owner": "ops",
        "until": "2027-01-01",
        "account": SHOP,
    }
    other = exception | {"account": "999999999999"}
    policy = Policy.parse({"authorizedPorts": ["tcp/443"], "exceptions": [exception, other]})
    monkeypatch.setattr("handler.organization.scan_account.deployed_policy", lambda: policy)
    stored = scan(organization)
    assert [(f.group_name, f.status) for f in stored.findings] == [("web", "excepted")]
    assert [f.group_name for f in stored.authorized] == ["public"]
    assert stored.used == {policy.exceptions[0].key}


@pytest.mark.parametrize(
    ("started_at", "status"),
    [("2026-11-22T23:59:50Z", "excepted"), ("2026-11-23T00:00:00Z", "open")],
)
def test_an_exception_is_assessed_by_the_day_on_which_the_run_started(
    organization: MemoryOrganization,
    monkeypatch: pytest.MonkeyPatch,
    started_at: str,
    status: str,
) -> None:
    """Accounts that are read after midnight are assessed as those before it."""
    exception = {
        "group": "web",
        "ports": "tcp/22",
        "reason": "bastion",
        "owner": "ops",
        "until": "2026-11-22",
    }
    policy = Policy.parse({"exceptions": [exception]})
    monkeypatch.setattr("handler.organization.scan_account.deployed_policy", lambda: policy)
    (finding,) = scan(organization, startedAt=started_at).findings
    assert finding.status == status


@pytest.mark.parametrize(
    "item", [{}, {"account": "1"}, {"account": SHOP, "regions": ["everywhere"]}, []]
)
def test_an_odd_item_is_refused(organization: MemoryOrganization, item: object) -> None:
    """Nothing is read and nothing stored."""
    with pytest.raises(PlanError, match="The item is not an account"):
        scan(organization, item=item)
    assert organization.entered == []


def test_an_account_whose_regions_are_denied(organization: MemoryOrganization) -> None:
    """A region that refuses does not take the others along."""
    organization.members[SHOP].account.faults.deny("DescribeSecurityGroups", "us-east-1")
    statuses = [coverage.status for coverage in scan(organization).coverage]
    assert statuses == [CoverageStatus.OK, CoverageStatus.DENIED]


def test_a_role_that_cannot_be_assumed_because_of_throttling(
    organization: MemoryOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any other refusal is a failed coverage."""

    def throttled(*_: object, **__: object) -> None:
        raise refusal(operation="AssumeRole", code="ThrottlingException", message="Rate exceeded")

    monkeypatch.setattr("tests.support.organization.Sts.assume_role", throttled)
    (coverage,) = scan(organization).coverage
    assert coverage.status is CoverageStatus.FAILED
