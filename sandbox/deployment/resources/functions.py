"""Lambda functions, who may call them, and what happens to their asynchronous calls."""
# ruff: noqa: ARG002, D102, RUF012 - the base class says what these methods and facts are

import json
from typing import Any, Final

from sandbox.deployment.resources.base import (
    AutoName,
    Place,
    RefusedError,
    Resource,
    as_given,
    camel,
    pascal,
    picked,
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
    chosen = frozenset({"architectures", "loggingConfig"})
    auto_name = AutoName("name", 64)

    def create(self, place: Place, inputs: Properties) -> str:
        place.client.create_function(
            FunctionName=inputs["name"],
            Code={"ZipFile": _zipped(inputs)},
            PackageType="Zip",
            Tags=inputs["tagsAll"],
            **pascal(picked(inputs, "architectures")),
            **_configuration(inputs),
        )
        return str(inputs["name"])

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        found = place.client.get_function(FunctionName=identity)
        held = found["Configuration"]
        live: Properties = {
            "architectures": held["Architectures"],
            "arn": held["FunctionArn"].removesuffix(":$LATEST"),
            "description": held.get("Description", ""),
            "handler": held.get("Handler"),
            "memorySize": held["MemorySize"],
            "name": held["FunctionName"],
            "role": held["Role"],
            "runtime": held.get("Runtime"),
            "tagsAll": found.get("Tags", {}),
            "timeout": held["Timeout"],
        }
        for name in _NESTED:
            # A key that is not in the answer at all is one this account does not keep.
            if (pascal_name := name[0].upper() + name[1:]) in held:
                live[name] = as_given(camel(held[pascal_name]), known.get(name))
        return live

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        client = place.client
        if changed & {"architectures", "code"}:
            wanted = picked(inputs, "architectures")
            answer = client.update_function_code(
                FunctionName=identity, ZipFile=_zipped(inputs), **pascal(wanted)
            )
            # moto takes another architecture and forgets it; a stack must not call that done.
            if wanted and wanted["architectures"] != answer["Architectures"]:
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

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        place.client.delete_function(FunctionName=identity)

    def tag(self, place: Place, known: Properties, tags: dict[str, str]) -> None:
        place.client.tag_resource(Resource=known["arn"], Tags=tags)

    def untag(self, place: Place, known: Properties, names: list[str]) -> None:
        place.client.untag_resource(Resource=known["arn"], TagKeys=names)


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
            **pascal(picked(inputs, "action", "principal", "sourceArn", "statementId")),
        )
        return str(inputs["statementId"])

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        policy = json.loads(place.client.get_policy(FunctionName=known["function"])["Policy"])
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

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        place.client.remove_permission(FunctionName=known["function"], StatementId=identity)


class FunctionEventInvokeConfig(Resource):
    """How often and how long Lambda retries asynchronous calls; its id is the function's name."""

    type_name = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
    service = "lambda"
    inputs = frozenset({"functionName", "maximumEventAgeInSeconds", "maximumRetryAttempts"})
    replaces = frozenset({"functionName"})
    defaults = {"maximumRetryAttempts": 2}

    def create(self, place: Place, inputs: Properties) -> str:
        wanted = picked(inputs, "maximumEventAgeInSeconds", "maximumRetryAttempts")
        place.client.put_function_event_invoke_config(
            FunctionName=inputs["functionName"],
            **pascal({**self.defaults, **wanted}),
        )
        return str(inputs["functionName"])

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        held = place.client.get_function_event_invoke_config(FunctionName=identity)
        return {
            "functionName": identity,
            "maximumEventAgeInSeconds": held.get("MaximumEventAgeInSeconds"),
            "maximumRetryAttempts": held.get("MaximumRetryAttempts", 2),
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        # moto answers with the first configuration it was ever given.
        self.delete(place, identity, inputs)
        self.create(place, inputs)

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        place.client.delete_function_event_invoke_config(FunctionName=identity)


def _configuration(inputs: Properties) -> dict[str, Any]:
    nested = {name: pascal(value) for name, value in picked(inputs, *_NESTED).items()}
    return pascal({**picked(inputs, *_PLAIN), **nested})


def _zipped(inputs: Properties) -> bytes:
    code = inputs.get("code")
    if not isinstance(code, Archive):
        raise RefusedError(f"A function's code must be an archive in the sandbox, got {code!r}.")
    return code.zipped()
