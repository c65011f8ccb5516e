"""EventBridge rules and their targets."""
# ruff: noqa: ARG002, D102, RUF012 - the base class says what these methods and facts are

from typing import Any, Final

from sandbox.deployment.resources.base import (
    AutoName,
    Place,
    RefusedError,
    Resource,
    from_pairs,
    pairs,
    pascal,
    select,
)
from sandbox.deployment.wire import Properties

_RULE: Final = ("description", "eventPattern", "name", "scheduleExpression", "state")
_TARGET: Final = ("arn", "roleArn")


class EventRule(Resource):
    """A rule of the default event bus; its id is its name."""

    type_name = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    inputs = frozenset({*_RULE, "tags"})
    replaces = frozenset({"name"})
    defaults = {"state": "ENABLED"}
    documents = frozenset({"eventPattern"})
    auto_name = AutoName("name", 64)

    def create(self, place: Place, inputs: Properties) -> str:
        self._put(place, inputs, Tags=pairs(inputs["tagsAll"]))
        return str(inputs["name"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        rule = place.client.describe_rule(Name=identity)
        tags = place.client.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]
        return {
            "arn": rule["Arn"],
            "description": rule.get("Description", ""),
            "eventPattern": rule.get("EventPattern"),
            "name": rule["Name"],
            "scheduleExpression": rule.get("ScheduleExpression"),
            "state": rule["State"],
            "tagsAll": from_pairs(tags),
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        self._put(place, inputs)

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_rule(Name=identity)

    def _put(self, place: Place, inputs: Properties, **more: Any) -> None:
        place.client.put_rule(**pascal(select({**self.defaults, **inputs}, *_RULE)), **more)


class EventTarget(Resource):
    """A target of a rule of the default event bus; its id is ``rule-target``."""

    type_name = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    inputs = frozenset({*_TARGET, "rule", "targetId"})
    replaces = frozenset({"rule", "targetId"})
    auto_name = AutoName("targetId", 64)

    def create(self, place: Place, inputs: Properties) -> str:
        target = {"Id": inputs["targetId"], **pascal(select(inputs, *_TARGET))}
        answer = place.client.put_targets(Rule=inputs["rule"], Targets=[target])
        _refuse_failed(answer)
        return f"{inputs['rule']}-{inputs['targetId']}"

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        answer = place.client.list_targets_by_rule(Rule=state["rule"])
        target = next((t for t in answer["Targets"] if t["Id"] == state["targetId"]), None)
        if target is None:
            return None
        return {
            "arn": target["Arn"],
            "roleArn": target.get("RoleArn"),
            "rule": state["rule"],
            "targetId": target["Id"],
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        self.create(place, inputs)

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        answer = place.client.remove_targets(Rule=state["rule"], Ids=[state["targetId"]])
        _refuse_failed(answer)


def _refuse_failed(answer: dict[str, Any]) -> None:
    for entry in answer["FailedEntries"]:
        raise RefusedError(f"{entry['ErrorCode']}: {entry['ErrorMessage']}")
