"""An organization in memory: accounts, their listing, and the state machine that reads them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler import app
from handler.organization import report_accounts, scan_account
from handler.organization.configuration import Organization
from handler.policy.policy import Policy
from tests.support.memory_account import MemoryAccount
from tests.support.stack import Context, DeployedAudit, open_port

AUDIT_ACCOUNT = "123456789012"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:audit"
ROOT = "r-root"


def refusal(operation: str, code: str, message: str) -> ClientError:
    """AWS's refusal of a call."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return ClientError(response, operation)


@dataclass
class Member:
    """An account of the organization; ``dies`` where its child of the machine leaves nothing.

    ``refusal`` is what AWS says where it does not trust the audit.
    """

    account: MemoryAccount
    name: str
    state: str = "ACTIVE"
    unit: str = ROOT
    refusal: str = "User is not authorized to perform: sts:AssumeRole on resource: {role}"
    trusts: bool = True
    dies: bool = False
    fails: bool = False


@dataclass
class MemoryOrganization(DeployedAudit):
    """An audit of many accounts."""

    patch: pytest.MonkeyPatch
    time: datetime = datetime(2026, 11, 23, 6, tzinfo=UTC)
    members: dict[str, Member] = field(default_factory=dict)
    units: dict[str, list[str]] = field(default_factory=dict)
    executions: dict[str, dict[str, Any]] = field(default_factory=dict)
    entered: list[dict[str, str]] = field(default_factory=list)
    listing_error: ClientError | None = None
    runs: int = 0
    account: MemoryAccount = field(default_factory=MemoryAccount)

    def __post_init__(self) -> None:
        self.deploy(STATE_MACHINE=MACHINE)
        self.configure(units=(ROOT,))
        for module in ("app", "organization.scan_account", "organization.report_accounts"):
            self.patch.setattr(f"handler.{module}.Clients", lambda: Clients(self, self.account))

    @property
    def head(self) -> Any:
        """The head of the ledger, in a form that tests need not narrow."""
        return super().head

    def configure(self, **changes: Any) -> None:
        """What is in organization.json."""
        fields = {"accounts": (), "units": (), "member_role": "security-group-audit"} | changes
        organization = Organization(**fields)
        for module in ("app", "organization.scan_account", "organization.report_accounts"):
            self.patch.setattr(f"handler.{module}.deployed_organization", lambda: organization)

    def apply(self, **policy: Any) -> None:
        """Deploy a policy with these keys."""
        parsed = Policy.parse(policy)
        for module in ("scan_account", "report_accounts"):
            self.patch.setattr(f"handler.organization.{module}.deployed_policy", lambda: parsed)

    def join(self, account_id: str, name: str, **fields: Any) -> Member:
        """A new account."""
        account = self.account if account_id == AUDIT_ACCOUNT else MemoryAccount()
        account.id = account_id
        self.members[account_id] = Member(account, name, **fields)
        return self.members[account_id]

    def open(self, account_id: str, name: str, region: str = "eu-west-1", port: int = 22) -> str:
        """Open a port to the internet in an account; the result is the group's id."""
        return open_port(self.members[account_id].account, name, region, port)

    def context(self, run: str) -> Context:
        """What Lambda tells a function."""
        return Context(run, self.time + timedelta(seconds=600), lambda: self.time)

    def start(self, event: object = None, run: str | None = None) -> dict[str, Any]:
        """Invoke the start function, as the schedule does or with another event."""
        self.runs += 1
        run = run or f"run-{self.runs}"
        scheduled = {"source": "aws.events", "detail-type": "Scheduled Event", "id": run}
        return app.lambda_handler(scheduled if event is None else event, self.context(run))

    def run(self, event: object = None, run: str | None = None) -> dict[str, Any]:
        """One run from start to the end of the state machine; the report function's result."""
        name = self.start(event, run)["execution"].rpartition(":")[2]
        self.scan(name)
        return self.report(name)

    def scan(self, run: str) -> None:
        """What the state machine does before the report."""
        execution = self.executions[run]
        if execution["hasAccounts"]:
            for item in json.loads(self.stored(execution["accounts"])):
                self._child(run, {"startedAt": execution["startedAt"], "item": item})

    def _child(self, run: str, event: Mapping[str, Any]) -> None:
        member = self.members.get(event["item"]["account"])
        if member and member.dies:
            return
        if member and member.fails:
            failure = {"Error": "Lambda.Unknown", "Cause": '{"errorMessage": "Killed"}'}
            event = {**event, "failure": failure}
        assert scan_account.lambda_handler({"run": run, **event}, self.context(run)) == {}

    def report(self, run: str) -> dict[str, Any]:
        """The last state of the machine."""
        return report_accounts.lambda_handler({"run": run}, self.context(run))


class Clients:
    """The clients of the audit's account, or of one that it has entered."""

    def __init__(self, organization: MemoryOrganization, account: MemoryAccount) -> None:
        self._organization = organization
        self._account = account

    def get(self, service: str, region: str | None = None) -> Any:
        """A client."""
        if service == "organizations":
            return _Organizations(self._organization)
        if service == "stepfunctions":
            return _StepFunctions(self._organization)
        if service == "sts":
            return Sts(self._organization, self._account)
        return self._account.client(service, region)

    def with_credentials(self, credentials: Mapping[str, str]) -> "Clients":
        """The clients of the account whose id is the access key."""
        member = self._organization.members[credentials["aws_access_key_id"]]
        return Clients(self._organization, member.account)


class Sts:
    """STS in the audit's account."""

    def __init__(self, organization: MemoryOrganization, account: MemoryAccount) -> None:
        self._organization = organization
        self.get_caller_identity = account.client("sts", None).get_caller_identity

    def assume_role(
        self,
        RoleArn: str,  # noqa: N803
        RoleSessionName: str,  # noqa: ARG002, N803
        ExternalId: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        """Credentials for the account of the role."""
        self._organization.entered.append({"role": RoleArn, "externalId": ExternalId})
        account_id = RoleArn.split(":")[4]
        member = self._organization.members.get(account_id)
        if member is None or not member.trusts:
            raise refusal(
                code="AccessDenied",
                operation="AssumeRole",
                message=(member or Member).refusal.format(role=RoleArn),
            )
        keys = {"AccessKeyId": account_id, "SecretAccessKey": "", "SessionToken": ""}
        return {"Credentials": keys}


class _Organizations:
    """AWS Organizations, two items a page."""

    def __init__(self, organization: MemoryOrganization) -> None:
        self._organization = organization

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=getattr(self, f"_{operation}"))

    def _list_accounts(self) -> Iterator[dict[str, Any]]:
        return self._pages("Accounts", map(self._account, self._organization.members))

    def _list_accounts_for_parent(self, ParentId: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        members = self._organization.members
        ids = [account_id for account_id in members if members[account_id].unit == ParentId]
        return self._pages("Accounts", map(self._account, ids))

    def _list_organizational_units_for_parent(
        self,
        ParentId: str,  # noqa: N803
    ) -> Iterator[dict[str, Any]]:
        children = self._organization.units.get(ParentId, [])
        return self._pages("OrganizationalUnits", ({"Id": child} for child in children))

    def _account(self, account_id: str) -> dict[str, Any]:
        member = self._organization.members[account_id]
        return {"Id": account_id, "Name": member.name, "State": member.state, "Status": "ACTIVE"}

    def _pages(self, key: str, items: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        if self._organization.listing_error:
            raise self._organization.listing_error
        remaining = list(items)
        while True:
            yield {key: remaining[:2]}
            remaining = remaining[2:]
            if not remaining:
                return


class _StepFunctions:
    def __init__(self, organization: MemoryOrganization) -> None:
        self._organization = organization

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002, N803
        assert stateMachineArn == MACHINE
        if name in self._organization.executions:
            raise refusal(
                code="ExecutionAlreadyExists",
                operation="StartExecution",
                message=f"Execution Already Exists: {name}",
            )
        self._organization.executions[name] = json.loads(input)
        return {"executionArn": f"arn:aws:states:eu-west-1:123456789012:execution:audit:{name}"}
