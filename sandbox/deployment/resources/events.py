"""EventBridge rules and their targets."""
# ruff: noqa: ARG002, D102, RUF012 - the base class says what these methods and facts are

from typing import Any, Final

from sandbox.deployment.resources.base import (
    AutoName,
    Place,
    RefusedError,
    Resource,
    camel,
    from_pairs,
    pairs,
    pascal,
    picked,
)
from sandbox.deployment.wire import Properties

_DEFAULT_BUS: Final = "default"
_TARGET_NESTED: Final = ("deadLetterConfig", "retryPolicy")
_TARGET_PLAIN: Final = ("arn", "input", "inputPath", "roleArn")


class EventRule(Resource):
    """An EventBridge rule; its id is its name, ``bus/name`` on another bus."""

    type_name = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    inputs = frozenset(
        {
            "description",
            "eventBusName",
            "eventPattern",
            "name",
            "namePrefix",
            "roleArn",
            "scheduleExpression",
            "state",
            "tags",
        }
    )
    replaces = frozenset({"eventBusName", "name", "namePrefix"})
    defaults = {"eventBusName": _DEFAULT_BUS, "state": "ENABLED"}
    documents = frozenset({"eventPattern"})
    auto_name = AutoName("name", 64, "namePrefix")

    def create(self, place: Place, inputs: Properties) -> str:
        self._put(place, inputs, Tags=pairs(inputs["tagsAll"]))
        bus = _bus(inputs)
        return str(inputs["name"]) if bus == _DEFAULT_BUS else f"{bus}/{inputs['name']}"

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        bus, name = identity.split("/") if "/" in identity else (_DEFAULT_BUS, identity)
        held = place.client.describe_rule(Name=name, EventBusName=bus)
        tags = place.client.list_tags_for_resource(ResourceARN=held["Arn"])["Tags"]
        return {
            "arn": held["Arn"],
            "description": held.get("Description", ""),
            "eventBusName": held.get("EventBusName", _DEFAULT_BUS),
            "eventPattern": held.get("EventPattern"),
            "name": held["Name"],
            "roleArn": held.get("RoleArn"),
            "scheduleExpression": held.get("ScheduleExpression"),
            "state": held["State"],
            "tagsAll": from_pairs(tags),
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        self._put(place, inputs)

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        place.client.delete_rule(Name=known["name"], EventBusName=_bus(known))

    def _put(self, place: Place, inputs: Properties, **more: Any) -> None:
        wanted = picked(
            {**self.defaults, **inputs},
            "description",
            "eventBusName",
            "eventPattern",
            "name",
            "roleArn",
            "scheduleExpression",
            "state",
        )
        place.client.put_rule(**pascal(wanted), **more)


class EventTarget(Resource):
    """What an EventBridge rule calls; its id is ``rule-target``, ``bus-rule-target`` elsewhere."""

    type_name = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    inputs = frozenset({*_TARGET_PLAIN, *_TARGET_NESTED, "eventBusName", "rule", "targetId"})
    replaces = frozenset({"eventBusName", "rule", "targetId"})
    defaults = {"eventBusName": _DEFAULT_BUS}
    auto_name = AutoName("targetId", 64)

    def create(self, place: Place, inputs: Properties) -> str:
        nested = {name: pascal(value) for name, value in picked(inputs, *_TARGET_NESTED).items()}
        target = pascal({**picked(inputs, *_TARGET_PLAIN), **nested})
        answer = place.client.put_targets(
            Rule=inputs["rule"],
            EventBusName=_bus(inputs),
            Targets=[{"Id": inputs["targetId"], **target}],
        )
        _refuse_failed(answer)
        bus = _bus(inputs)
        identity = f"{inputs['rule']}-{inputs['targetId']}"
        return identity if bus == _DEFAULT_BUS else f"{bus}-{identity}"

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        answer = place.client.list_targets_by_rule(Rule=known["rule"], EventBusName=_bus(known))
        held = next((t for t in answer["Targets"] if t["Id"] == known["targetId"]), None)
        if held is None:
            return None
        live = camel(held)
        nested = {name: camel(live[name]) for name in _TARGET_NESTED if live.get(name)}
        return {
            **{name: live.get(name) for name in (*_TARGET_PLAIN, *_TARGET_NESTED)},
            **nested,
            "eventBusName": _bus(known),
            "rule": known["rule"],
            "targetId": live["id"],
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        self.create(place, inputs)

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        answer = place.client.remove_targets(
            Rule=known["rule"], EventBusName=_bus(known), Ids=[known["targetId"]]
        )
        _refuse_failed(answer)


def _bus(properties: Properties) -> str:
    return str(properties.get("eventBusName") or _DEFAULT_BUS)


def _refuse_failed(answer: dict[str, Any]) -> None:
    for entry in answer["FailedEntries"]:
        raise RefusedError(f"{entry['ErrorCode']}: {entry['ErrorMessage']}")
