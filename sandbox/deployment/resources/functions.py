"""Lambda functions, their permissions and their event invoke configs."""
# ruff: noqa: ARG002, D102, RUF012 - the base class says what these methods and facts are

import json
from typing import Any, Final

from sandbox.deployment.resources.base import (
    AutoName,
    Place,
    RefusedError,
    Resource,
    camel,
    declared_part,
    pascal,
    select,
)
from sandbox.deployment.wire import Archive, Properties

_PLAIN: Final = ("description", "handler", "memorySize", "role", "runtime", "timeout")
_NESTED: Final = ("environment", "loggingConfig")
_CONFIGURATION: Final = frozenset({*_PLAIN, *_NESTED})


class Function(Resource):
    """A Lambda function deployed as a zip; its id is its name."""

    type_name = "aws:lambda/function:Function"
    service = "lambda"
    inputs = _CONFIGURATION | {"architectures", "code", "name", "tags"}
    replaces = frozenset({"name"})
    defaults = {"memorySize": 128, "timeout": 3}
    computed = frozenset({"architectures", "loggingConfig"})
    auto_name = AutoName("name", 64)

    def create(self, place: Place, inputs: Properties) -> str:
        place.client.create_function(
            FunctionName=inputs["name"],
            Code={"ZipFile": _zipped(inputs)},
            PackageType="Zip",
            Tags=inputs["tagsAll"],
            **pascal(select(inputs, "architectures")),
            **_configuration(inputs),
        )
        return str(inputs["name"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        function = place.client.get_function(FunctionName=identity)
        configuration = function["Configuration"]
        live: Properties = {
            "architectures": configuration["Architectures"],
            "arn": configuration["FunctionArn"].removesuffix(":$LATEST"),
            "description": configuration.get("Description", ""),
            "handler": configuration.get("Handler"),
            "memorySize": configuration["MemorySize"],
            "name": configuration["FunctionName"],
            "role": configuration["Role"],
            "runtime": configuration.get("Runtime"),
            "tagsAll": function.get("Tags", {}),
            "timeout": configuration["Timeout"],
        }
        for name in _NESTED:
            # This account does not store a setting whose key is not in the answer.
            if (pascal_name := name[0].upper() + name[1:]) in configuration:
                live[name] = declared_part(camel(configuration[pascal_name]), state.get(name))
        return live

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        client = place.client
        if changed & {"architectures", "code"}:
            requested = select(inputs, "architectures")
            answer = client.update_function_code(
                FunctionName=identity, ZipFile=_zipped(inputs), **pascal(requested)
            )
            # moto accepts another architecture without storing it.
            if requested and requested["architectures"] != answer["Architectures"]:
                raise RefusedError(f"The account cannot change the architectures of {identity}.")
        if changed & _CONFIGURATION:
            cleared: dict[str, Any] = {
                "Description": "",
                "Environment": {"Variables": {}},
                **pascal(self.defaults),
            }
            client.update_function_configuration(
                FunctionName=identity, **{**cleared, **_configuration(inputs)}
            )

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_function(FunctionName=identity)

    def tag(self, place: Place, state: Properties, tags: dict[str, str]) -> None:
        place.client.tag_resource(Resource=state["arn"], Tags=tags)

    def untag(self, place: Place, state: Properties, names: list[str]) -> None:
        place.client.untag_resource(Resource=state["arn"], TagKeys=names)


class Permission(Resource):
    """A statement of a function's resource policy; its id is the statement's id."""

    type_name = "aws:lambda/permission:Permission"
    service = "lambda"
    inputs = frozenset({"action", "function", "principal", "sourceArn", "statementId"})
    replaces = inputs
    auto_name = AutoName("statementId", 100)

    def create(self, place: Place, inputs: Properties) -> str:
        place.client.add_permission(
            FunctionName=inputs["function"],
            **pascal(select(inputs, "action", "principal", "sourceArn", "statementId")),
        )
        return str(inputs["statementId"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        policy = json.loads(place.client.get_policy(FunctionName=state["function"])["Policy"])
        statement = next((s for s in policy["Statement"] if s["Sid"] == identity), None)
        if statement is None:
            return None
        condition = statement.get("Condition", {}).get("ArnLike", {})
        return {
            "action": statement["Action"],
            "principal": statement["Principal"].get("Service", statement["Principal"]),
            "sourceArn": condition.get("AWS:SourceArn"),
            "statementId": identity,
        }

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.remove_permission(FunctionName=state["function"], StatementId=identity)


class FunctionEventInvokeConfig(Resource):
    """How often and how long Lambda retries asynchronous calls; its id is the function's name."""

    type_name = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
    service = "lambda"
    inputs = frozenset({"functionName", "maximumEventAgeInSeconds", "maximumRetryAttempts"})
    replaces = frozenset({"functionName"})
    defaults = {"maximumRetryAttempts": 2}

    def create(self, place: Place, inputs: Properties) -> str:
        settings = select(inputs, "maximumEventAgeInSeconds", "maximumRetryAttempts")
        place.client.put_function_event_invoke_config(
            FunctionName=inputs["functionName"],
            **pascal({**self.defaults, **settings}),
        )
        return str(inputs["functionName"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        config = place.client.get_function_event_invoke_config(FunctionName=identity)
        return {
            "functionName": identity,
            "maximumEventAgeInSeconds": config.get("MaximumEventAgeInSeconds"),
            "maximumRetryAttempts": config.get("MaximumRetryAttempts", 2),
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        # moto answers with the first configuration it was ever given.
        self.delete(place, identity, inputs)
        self.create(place, inputs)

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_function_event_invoke_config(FunctionName=identity)


def _configuration(inputs: Properties) -> dict[str, Any]:
    nested = {name: pascal(value) for name, value in select(inputs, *_NESTED).items()}
    return pascal({**select(inputs, *_PLAIN), **nested})


def _zipped(inputs: Properties) -> bytes:
    code = inputs.get("code")
    if not isinstance(code, Archive):
        raise RefusedError(f"A function's code must be an archive in the sandbox, got {code!r}.")
    return code.zipped()
