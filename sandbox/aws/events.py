"""EventBridge: starts targets when a schedule fires or an event arrives."""

import json
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from botocore.exceptions import ClientError
from moto.events.models import EventPattern
from werkzeug.wrappers import Response

from sandbox.aws.authorization import Permission, allows, is_allowed
from sandbox.aws.conditions import as_list, meets
from sandbox.aws.protocol import Operation
from sandbox.lambda_host.host import Invocation

Runs: TypeAlias = Future[tuple[Invocation, ...]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result for one target: the ``event`` it got, and all tries of a function."""

    target: str
    delivered: bool
    reason: str | None = None
    event: dict[str, Any] | None = None
    invocations: tuple[Invocation, ...] = ()


class EventBus:
    """The default event bus of the account and the schedules of its rules.

    ``events`` are those that PutEvents has put on it.
    """

    def __init__(
        self,
        account_id: str,
        client: Callable[[str, str], Any],
        start: Callable[[str, str, bytes], Runs],
    ) -> None:
        """``client`` makes a boto3 client from service and region.

        ``start`` runs a function asynchronously, given its region, its ARN and the payload.
        """
        self._account_id = account_id
        self._client = client
        self._start = start
        self.events: list[dict[str, Any]] = []

    def fire(
        self, rule_name: str, region: str, *, at: datetime | None = None
    ) -> tuple[Delivery, ...]:
        """Let the schedule of a rule fire once, at a time in UTC, and wait for its targets.

        Raises ``ValueError`` if the rule does not exist, is not enabled or has no schedule.
        """
        try:
            rule = self._client("events", region).describe_rule(Name=rule_name)
        except ClientError as error:
            raise ValueError(f"rule {rule_name!r} must exist in {region}: {error}.") from error
        if rule["State"] != "ENABLED" or not rule.get("ScheduleExpression"):
            raise ValueError(
                f"rule {rule_name!r} in {region} must be enabled and have a schedule, "
                f"got state {rule['State']} and schedule {rule.get('ScheduleExpression')!r}."
            )
        # https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-scheduled-events.html
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self._account_id,
            "time": f"{at or datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "region": region,
            "resources": [rule["Arn"]],
            "detail": {},
        }
        return _wait_for_runs(self._start_targets(rule, region, event))

    def deliver(self, event: dict[str, Any], region: str) -> tuple[Delivery, ...]:
        """Deliver an event to the targets of every enabled rule whose pattern matches it."""
        return _wait_for_runs(self._publish(event, region))

    def serve(self, operation: Operation) -> Response:
        """Answer PutEvents, without waiting for the targets that it starts.

        AWS rejects its customers' events if their source is a service of AWS, such as CloudTrail;
        this account accepts them, because it has no other source of them.
        """
        answers = []
        for entry in operation.parameters["Entries"]:
            if entry.get("EventBusName", "default") != "default":
                message = "This account delivers events of the default bus only."
                return operation.refusal("InternalFailure", message, 501)
            event = {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": entry["DetailType"],
                "source": entry["Source"],
                "account": self._account_id,
                "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "region": operation.region,
                "resources": entry.get("Resources", []),
                "detail": json.loads(entry["Detail"]),
            }
            self.events.append(event)
            self._publish(event, operation.region)
            answers.append({"EventId": event["id"]})
        return operation.answer({"FailedEntryCount": 0, "Entries": answers})

    def _publish(self, event: dict[str, Any], region: str) -> list[tuple[Delivery, Runs | None]]:
        """Start the targets of every enabled rule whose pattern matches the event."""
        started = []
        for page in self._client("events", region).get_paginator("list_rules").paginate():
            for rule in page["Rules"]:
                pattern = rule.get("EventPattern")
                if rule["State"] != "ENABLED" or not pattern:
                    continue
                if EventPattern(pattern, json.loads(pattern)).matches_event(event):  # type: ignore[arg-type]
                    started += self._start_targets(rule, region, event)
        return started

    def _start_targets(
        self, rule: dict[str, Any], region: str, event: dict[str, Any]
    ) -> list[tuple[Delivery, Runs | None]]:
        """Start every target of the rule that EventBridge may invoke."""
        events = self._client("events", region)
        started: list[tuple[Delivery, Runs | None]] = []
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            arn = target["Arn"]
            is_bus = arn.endswith(":event-bus/default")
            reason = self._bus_problem(target) if is_bus else self._problem(rule, region, target)
            if reason:
                started.append((Delivery(arn, delivered=False, reason=reason), None))
                continue
            if is_bus:
                started.append((Delivery(arn, delivered=True, event=event), None))
                started += self._publish(event, arn.split(":")[3])
                continue
            runs = self._start(region, arn, json.dumps(event).encode())
            started.append((Delivery(arn, delivered=True, event=event), runs))
        return started

    def _problem(self, rule: dict[str, Any], region: str, target: dict[str, Any]) -> str | None:
        """Why EventBridge cannot deliver to a target, as a sentence; None if it can."""
        arn = target["Arn"]
        if ":lambda:" not in arn:
            return f"{arn} is no function and no default bus, and this account delivers to nothing \
else."
        if target.keys() & {"Input", "InputPath", "InputTransformer"}:
            return f"The target {arn} transforms its input, which the sandbox does not support."
        functions = self._client("lambda", region)
        try:
            functions.get_function_configuration(FunctionName=arn)
        except ClientError as error:
            return f"The function {arn} cannot be found: {error}."
        try:
            policy = json.loads(functions.get_policy(FunctionName=arn)["Policy"])
        except ClientError as error:
            return f"The function {arn} has no policy that allows events.amazonaws.com: {error}."
        statements = policy["Statement"]
        if any(_allows(statement, arn, rule["Arn"], self._account_id) for statement in statements):
            return None
        return f"No statement in the policy of {arn} lets events.amazonaws.com invoke it for \
{rule['Arn']}."

    def _bus_problem(self, target: dict[str, Any]) -> str | None:
        """Why EventBridge cannot forward to a bus, as a sentence; None if it can."""
        arn, role_arn = target["Arn"], target.get("RoleArn", "")
        name = role_arn.rpartition("/")[2]
        try:
            role = self._client("iam", "us-east-1").get_role(RoleName=name or "none")["Role"]
        except ClientError as error:
            return f"The role of the target {arn} cannot be found: {error}."
        statements = role["AssumeRolePolicyDocument"]["Statement"]
        if not any(_trusts(statement, self._account_id) for statement in statements):
            return f"The role {role_arn} does not trust events.amazonaws.com."
        if allows(self._account_id, role_arn, Permission("events:PutEvents", arn)):
            return None
        return f"The role {role_arn} may not put events on {arn}."


def _wait_for_runs(started: list[tuple[Delivery, Runs | None]]) -> tuple[Delivery, ...]:
    """The deliveries with their invocations, once all runs have ended."""
    return tuple(
        replace(delivery, invocations=runs.result()) if runs else delivery
        for delivery, runs in started
    )


def _allows(statement: dict[str, Any], function: str, rule: str, account_id: str) -> bool:
    """Whether a statement of a function's policy lets EventBridge invoke it for a rule."""
    principal = statement.get("Principal", {})
    services = "*" if principal == "*" else principal.get("Service", [])
    context = {"aws:SourceArn": rule, "aws:SourceAccount": account_id}
    invoke = Permission("lambda:InvokeFunction", function, context)
    is_principal = bool({"*", "events.amazonaws.com"} & set(as_list(services)))
    return is_principal and is_allowed([statement], invoke)


def _trusts(statement: dict[str, Any], account_id: str) -> bool:
    """Whether a statement of a role's trust policy lets EventBridge assume it."""
    return (
        statement["Effect"] == "Allow"
        and "events.amazonaws.com" in as_list(statement["Principal"].get("Service", []))
        and meets(statement.get("Condition", {}), {"aws:SourceAccount": account_id})
    )
