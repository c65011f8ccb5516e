"""State machines of Step Functions."""
# ruff: noqa: ARG002, D102, RUF012 - the base class says what these methods and facts are

from typing import Any

from sandbox.deployment.resources.base import AutoName, Place, Resource, select
from sandbox.deployment.wire import Properties


class StateMachine(Resource):
    """A state machine; its id is its ARN."""

    type_name = "aws:sfn/stateMachine:StateMachine"
    service = "stepfunctions"
    inputs = frozenset({"definition", "loggingConfiguration", "name", "roleArn", "tags", "type"})
    replaces = frozenset({"name", "type"})
    defaults = {"type": "STANDARD"}
    computed = frozenset({"loggingConfiguration"})
    documents = frozenset({"definition"})
    auto_name = AutoName("name", 80)

    def create(self, place: Place, inputs: Properties) -> str:
        answer = place.client.create_state_machine(
            name=inputs["name"],
            type=inputs.get("type") or self.defaults["type"],
            tags=_pairs(inputs["tagsAll"]),
            **_settings(inputs),
        )
        return str(answer["stateMachineArn"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        machine = place.client.describe_state_machine(stateMachineArn=identity)
        tags = place.client.list_tags_for_resource(resourceArn=identity)["tags"]
        return {
            "arn": identity,
            "definition": machine["definition"],
            "loggingConfiguration": _from_logging(machine["loggingConfiguration"]),
            "name": machine["name"],
            "roleArn": machine["roleArn"],
            "tagsAll": {tag["key"]: tag["value"] for tag in tags},
            "type": machine["type"],
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        place.client.update_state_machine(stateMachineArn=identity, **_settings(inputs))

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_state_machine(stateMachineArn=identity)

    def tag(self, place: Place, state: Properties, tags: dict[str, str]) -> None:
        place.client.tag_resource(resourceArn=state["arn"], tags=_pairs(tags))

    def untag(self, place: Place, state: Properties, names: list[str]) -> None:
        place.client.untag_resource(resourceArn=state["arn"], tagKeys=names)


def _settings(inputs: Properties) -> dict[str, Any]:
    """The settings that can be changed, as Step Functions spells them."""
    settings = select(inputs, "definition", "roleArn")
    if logging := inputs.get("loggingConfiguration"):
        settings["loggingConfiguration"] = _to_logging(logging)
    return settings


def _to_logging(logging: Properties) -> dict[str, Any]:
    group = {"logGroupArn": logging.get("logDestination")}
    destinations = [{"cloudWatchLogsLogGroup": group}] if group["logGroupArn"] else []
    return {**select(logging, "includeExecutionData", "level"), "destinations": destinations}


def _from_logging(logging: dict[str, Any]) -> Properties:
    groups = [item["cloudWatchLogsLogGroup"] for item in logging.get("destinations", ())]
    return {
        **select(logging, "includeExecutionData", "level"),
        **({"logDestination": groups[0]["logGroupArn"]} if groups else {}),
    }


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]
