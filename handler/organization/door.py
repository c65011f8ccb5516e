"""The door: plans a run over many accounts, and starts the state machine that carries it out."""

import json
import os
import uuid
from typing import Any

from handler import aws, clock, logs
from handler.aws import FAILURES, Clients
from handler.event import parse_event
from handler.organization.configuration import Organization
from handler.organization.listing import ListingError, list_accounts
from handler.organization.objects import Exchange
from handler.organization.plan import (
    Account,
    Listing,
    encode_accounts,
    encode_plan,
    plan_of,
)
from handler.settings import Settings, required

# AWS Organizations has one endpoint for each partition, which boto3 finds from any of its regions.
_ORGANIZATIONS = "organizations"
_RUNS_ALREADY = "ExecutionAlreadyExists"


def start_audit(event: object, context: object, organization: Organization) -> dict[str, Any]:
    """Plan the run of an event and start it, once for each event.

    The result is ``{"statusCode": 200, "body": "Audit started.", "execution": ARN}``.
    Raises ``SettingsError`` or ``EventError`` before anything is done, and one of
    ``aws.FAILURES`` where the plan could not be stored or the machine not be started.
    """
    settings, clients = Settings.from_env(os.environ), Clients()
    machine, bucket = required(os.environ, "STATE_MACHINE"), required(os.environ, "LEDGER_BUCKET")
    request_id = getattr(context, "aws_request_id", None) or str(uuid.uuid4())
    request = parse_event(event, request_id, settings)
    logs.log_start(request)
    exchange = Exchange(clients.get("s3"), bucket, request.id)
    listing, problem = _listing(clients, organization)
    plan = plan_of(request, clock.timestamp(), listing, problem)
    has_accounts = bool(plan.listing.accounts)
    if has_accounts:
        # Another attempt at the same event may have stored them; the first list is the plan's.
        exchange.put_once(exchange.accounts_key, encode_accounts(plan))
    exchange.put_once(exchange.plan_key, encode_plan(plan))
    execution = _start(
        clients.get("stepfunctions"),
        machine,
        request.id,
        {
            "run": request.id,
            "bucket": bucket,
            "accounts": exchange.accounts_key,
            "hasAccounts": has_accounts,
        },
    )
    return {"statusCode": 200, "body": "Audit started.", "execution": execution}


def _listing(clients: Clients, organization: Organization) -> tuple[Listing, str | None]:
    """The accounts, or why they could not be listed."""
    if not organization.units:
        return Listing(tuple(map(Account, sorted(organization.accounts)))), None
    try:
        return list_accounts(clients.get(_ORGANIZATIONS), organization), None
    except (*FAILURES, ListingError) as error:
        return Listing(), aws.error_text(error)


def _start(machine: Any, arn: str, run: str, execution_input: dict[str, Any]) -> str:
    """Start an execution; its ARN, also where it was started before."""
    try:
        answer = machine.start_execution(
            stateMachineArn=arn, name=run, input=json.dumps(execution_input)
        )
    except FAILURES as error:
        if aws.error_code(error) != _RUNS_ALREADY:
            raise
        return f"{arn.replace(':stateMachine:', ':execution:', 1)}:{run}"
    return str(answer["executionArn"])
