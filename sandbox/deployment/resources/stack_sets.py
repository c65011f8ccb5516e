"""StackSets of CloudFormation, and the accounts that they are deployed to."""
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
    select,
)
from sandbox.deployment.wire import Properties

_SELF: Final = "SELF"


class StackSet(Resource):
    """A template for stacks in many accounts; its id is its name."""

    type_name = "aws:cloudformation/stackSet:StackSet"
    service = "cloudformation"
    inputs = frozenset(
        {
            "autoDeployment",
            "callAs",
            "capabilities",
            "description",
            "name",
            "operationPreferences",
            "permissionModel",
            "tags",
            "templateBody",
        }
    )
    replaces = frozenset({"autoDeployment", "name"})
    defaults = {"callAs": _SELF, "permissionModel": "SELF_MANAGED"}
    documents = frozenset({"templateBody"})
    auto_name = AutoName("name", 128)

    def create(self, place: Place, inputs: Properties) -> str:
        deployment = inputs.get("autoDeployment")
        place.client.create_stack_set(
            StackSetName=inputs["name"],
            Tags=pairs(inputs["tagsAll"]),
            **({"AutoDeployment": pascal(deployment)} if deployment else {}),
            **_settings({**self.defaults, **inputs}),
        )
        return str(inputs["name"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        entry = place.client.describe_stack_set(StackSetName=identity, **_caller(state))["StackSet"]
        # CloudFormation does not return CallAs, nor moto the other inputs that are missing.
        return {
            "arn": entry["StackSetARN"],
            **camel(_caller(state)),
            "description": entry.get("Description"),
            "name": entry["StackSetName"],
            "permissionModel": entry["PermissionModel"],
            "stackSetId": entry["StackSetId"],
            "tagsAll": from_pairs(entry.get("Tags", [])),
            "templateBody": entry["TemplateBody"],
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        if "templateBody" in changed and _instances(place, identity, inputs):
            raise RefusedError(
                f"The account cannot change the stacks that {identity} has deployed."
            )
        place.client.update_stack_set(
            StackSetName=identity,
            Tags=pairs(inputs["tagsAll"]),
            **_settings({**self.defaults, **inputs}),
            **_preferences(inputs),
        )

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_stack_set(StackSetName=identity, **_caller(state))

    def tag(self, place: Place, state: Properties, tags: dict[str, str]) -> None:
        # The call replaces all tags.
        place.client.update_stack_set(
            StackSetName=state["name"],
            UsePreviousTemplate=True,
            Tags=pairs(tags),
            **_caller(state),
        )

    def untag(self, place: Place, state: Properties, names: list[str]) -> None:
        tags = {key: value for key, value in state["tagsAll"].items() if key not in names}
        self.tag(place, state, tags)


class StackInstances(Resource):
    """The stacks of a StackSet in organizational units or accounts.

    The id is ``name,SELF``, followed by ``,OU`` for units.
    """

    type_name = "aws:cloudformation/stackInstances:StackInstances"
    service = "cloudformation"
    inputs = frozenset(
        {
            "accounts",
            "callAs",
            "deploymentTargets",
            "operationPreferences",
            "regions",
            "stackSetName",
        }
    )
    replaces = frozenset({"stackSetName"})
    defaults = {"callAs": _SELF}
    computed = frozenset({"accounts", "regions"})

    def create(self, place: Place, inputs: Properties) -> str:
        place.client.create_stack_instances(**_targets(place, inputs))
        units = ["OU"] if inputs.get("deploymentTargets") else []
        caller = inputs.get("callAs") or _SELF
        return ",".join([inputs["stackSetName"], caller, *units])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        instances = _instances(place, state["stackSetName"], state)
        if not instances:
            return None
        return {
            "accounts": sorted({instance["Account"] for instance in instances}),
            **camel(_caller(state)),
            "regions": sorted({instance["Region"] for instance in instances}),
            "stackSetId": instances[0]["StackSetId"],
            "stackSetName": state["stackSetName"],
        }

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_stack_instances(**_targets(place, state), RetainStacks=False)


def _caller(properties: Properties) -> dict[str, Any]:
    return {"CallAs": properties.get("callAs") or _SELF}


def _settings(inputs: Properties) -> dict[str, Any]:
    """The settings that both creation and update send, as CloudFormation spells them."""
    names = ("callAs", "capabilities", "description", "permissionModel", "templateBody")
    return pascal(select(inputs, *names))


def _preferences(properties: Properties) -> dict[str, Any]:
    """The operation preferences, as CloudFormation spells them."""
    preferences = properties.get("operationPreferences")
    return {"OperationPreferences": pascal(preferences)} if preferences else {}


def _targets(place: Place, properties: Properties) -> dict[str, Any]:
    """The targets in units or in accounts, as CloudFormation spells them."""
    units = properties.get("deploymentTargets")
    accounts = properties.get("accounts") or [place.account]
    return {
        "StackSetName": properties["stackSetName"],
        "Regions": properties.get("regions") or [place.region],
        **({"DeploymentTargets": pascal(units)} if units else {"Accounts": accounts}),
        **_caller(properties),
        **_preferences(properties),
    }


def _instances(place: Place, name: str, properties: Properties) -> list[dict[str, Any]]:
    pages = place.client.get_paginator("list_stack_instances").paginate(
        StackSetName=name, **_caller(properties)
    )
    return [instance for page in pages for instance in page["Summaries"]]
