"""The start function: plans a run over many accounts, and starts the state machine."""

import json
import os
from typing import Any

from handler import aws, clock
from handler.aws import FAILURES, Clients
from handler.event import RunRequest
from handler.organization.configuration import Organization
from handler.organization.listing import ListingError, list_accounts
from handler.organization.plan import (
    Account,
    Listing,
    Plan,
    encode_accounts,
    encode_plan,
    plan_of,
    stored_plan,
)
from handler.organization.run_objects import RunObjects
from handler.settings import required

# AWS Organizations has one endpoint per partition, which boto3 finds from any region of it.
_ORGANIZATIONS = "organizations"
_RUNS_ALREADY = "ExecutionAlreadyExists"


def start_audit(
    request: RunRequest, clients: Clients, organization: Organization
) -> dict[str, Any]:
    """Plan and start the run that an event requests, once for each event.

    The result is ``{"statusCode": 200, "body": "Audit started.", "execution": ARN}``.
    Raises ``SettingsError`` or ``EventError`` before anything is done, ``PlanError`` if the stored
    plan cannot be read, and one of ``aws.FAILURES`` if S3 or Step Functions refuses.
    """
    machine, bucket = required(os.environ, "STATE_MACHINE"), required(os.environ, "LEDGER_BUCKET")
    objects = RunObjects(clients.get("s3"), bucket, request.id)
    # An earlier attempt at this event may have stored a plan with other accounts.
    plan = stored_plan(objects) or _new_plan(request, objects, clients, organization)
    execution_input = {
        "run": request.id,
        "bucket": bucket,
        "accounts": objects.accounts_key,
        "hasAccounts": bool(plan.listing.accounts),
        "startedAt": plan.started_at,
    }
    try:
        execution = clients.get("stepfunctions").start_execution(
            stateMachineArn=machine, name=request.id, input=json.dumps(execution_input)
        )["executionArn"]
    except FAILURES as error:
        if aws.error_code(error) != _RUNS_ALREADY:
            raise
        execution = f"{machine.replace(':stateMachine:', ':execution:', 1)}:{request.id}"
    return {"statusCode": 200, "body": "Audit started.", "execution": execution}


def _new_plan(
    request: RunRequest, objects: RunObjects, clients: Clients, organization: Organization
) -> Plan:
    """The stored plan: this one, or that of a faster attempt."""
    listing, problem = _listing(clients, organization)
    plan = plan_of(request, clock.timestamp(), listing, problem)
    if plan.listing.accounts:
        objects.put_once(objects.accounts_key, encode_accounts(plan))
    objects.put_once(objects.plan_key, encode_plan(plan))
    return stored_plan(objects) or plan


def _listing(clients: Clients, organization: Organization) -> tuple[Listing, str | None]:
    """The accounts, or why they could not be listed."""
    if not organization.units:
        return Listing(tuple(map(Account, sorted(organization.accounts)))), None
    try:
        return list_accounts(clients.get(_ORGANIZATIONS), organization), None
    except (*FAILURES, ListingError) as error:
        return Listing(), aws.error_text(error)
