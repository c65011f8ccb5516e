"""The plan of a run: its request and the accounts that it reads; to JSON and back."""

import json
from typing import NamedTuple

from handler.event import EventError, RunRequest
from handler.model.network import ACCOUNT_ID, REGION_NAME
from handler.model.run import Trigger
from handler.organization.run_objects import RunObjects
from handler.report.fields import DECODE_ERRORS, Fields, cause_of
from handler.sanitize import expected
from handler.settings import Notify

_VERSION = 1
_NO_ACCOUNTS = b"[]"


class PlanError(ValueError):
    """A plan that cannot be read; the message is a sentence."""


class Account(NamedTuple):
    """An account to read, with its name if known.

    Without ``regions``, those of the settings are read.
    """

    id: str
    name: str | None = None
    regions: tuple[str, ...] = ()


class LeftOut(NamedTuple):
    """An account that is not read because of its state, for example SUSPENDED."""

    id: str
    name: str | None
    state: str


class Listing(NamedTuple):
    """The accounts to read, and those to leave out."""

    accounts: tuple[Account, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class Plan(NamedTuple):
    """What a run reads; ``problem`` says why the accounts could not be listed."""

    request: RunRequest
    started_at: str
    listing: Listing = Listing()
    problem: str | None = None


def plan_of(request: RunRequest, started_at: str, listing: Listing, problem: str | None) -> Plan:
    """The plan for the accounts and regions that an event names, or for all listed accounts.

    Raises ``EventError`` if the event names an account that is not among the listed ones.
    """
    if problem is None and request.accounts:
        named = tuple(account for account in listing.accounts if account.id in request.accounts)
        if missing := sorted(set(request.accounts) - {account.id for account in named}):
            expectation = "among the active accounts to audit"
            raise EventError(expected("the event's accounts", expectation, ", ".join(missing)))
        listing = Listing(named)
    if not request.is_full:
        # If the event names accounts only, these are the regions of the settings.
        accounts = (account._replace(regions=request.regions) for account in listing.accounts)
        listing = listing._replace(accounts=tuple(accounts))
    return Plan(request, started_at, listing, problem)


def encode_accounts(plan: Plan) -> bytes:
    """The accounts as the JSON array that the state machine reads."""
    items = [
        {"account": account.id, "name": account.name}
        | ({"regions": list(account.regions)} if account.regions else {})
        for account in plan.listing.accounts
    ]
    return json.dumps(items, separators=(",", ":")).encode()


def encode_plan(plan: Plan) -> bytes:
    """The plan without its accounts."""
    request = plan.request
    document = {
        "version": _VERSION,
        "run": {
            "id": request.id,
            "trigger": request.trigger,
            "notify": request.notify,
            "regions": request.regions,
            "accounts": request.accounts,
            "isFull": request.is_full,
            "dryRun": request.dry_run,
            "startedAt": plan.started_at,
        },
        "problem": plan.problem,
        "leftOut": [
            {"account": account.id, "name": account.name, "state": account.state}
            for account in plan.listing.left_out
        ],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def stored_plan(objects: RunObjects) -> Plan | None:
    """The plan of a run; None if there is none. Raises ``PlanError`` or ``aws.FAILURES``."""
    stored = objects.get(objects.plan_key)
    if stored is None:
        return None
    accounts = objects.get(objects.accounts_key) or _NO_ACCOUNTS
    try:
        document = Fields(json.loads(stored))
        if (version := document.integer("version")) != _VERSION:
            raise ValueError(f"version {version}")
        run = document.object("run")
        problem = document.optional_text("problem")
        # Stored accounts are from another attempt, which could list them but was stopped.
        items = [] if problem else Fields({"accounts": json.loads(accounts)}).objects("accounts")
        left_out = (
            LeftOut(_account_id(left), left.optional_text("name"), left.text("state"))
            for left in document.objects("leftOut")
        )
        return Plan(
            RunRequest(
                run.text("id"),
                run.member("trigger", Trigger),
                run.member("notify", Notify),
                run.texts("regions"),
                run.boolean("isFull"),
                run.boolean("dryRun"),
                accounts=run.texts("accounts"),
            ),
            run.time("startedAt"),
            Listing(tuple(map(_account, items)), tuple(left_out)),
            problem,
        )
    except DECODE_ERRORS as error:
        raise PlanError(f"The run's plan cannot be read {cause_of(error)}.") from error


def account_item(document: object) -> Account:
    """An item of the plan, from the state machine. Raises ``PlanError``."""
    try:
        return _account(Fields(document))
    except DECODE_ERRORS as error:
        raise PlanError(f"The item is not an account {cause_of(error)}.") from error


def _account(item: Fields) -> Account:
    regions = item.texts("regions")
    if not all(map(REGION_NAME.fullmatch, regions)):
        raise ValueError("regions must be names of regions")
    return Account(_account_id(item), item.optional_text("name"), regions)


def _account_id(fields: Fields) -> str:
    account_id = fields.text("account")
    if not ACCOUNT_ID.fullmatch(account_id):
        raise ValueError(f"account must be an ID of 12 digits, got {account_id:.20}")
    return account_id
