"""Roles and their inline policies."""
# ruff: noqa: ARG002, D102, RUF012 - the base class says what these methods and facts are

import json

from sandbox.deployment.resources.base import (
    AutoName,
    Place,
    Resource,
    from_pairs,
    pairs,
    pascal,
    select,
)
from sandbox.deployment.wire import Properties


class Role(Resource):
    """An IAM role; its id is its name."""

    type_name = "aws:iam/role:Role"
    service = "iam"
    inputs = frozenset({"assumeRolePolicy", "description", "name", "path", "tags"})
    replaces = frozenset({"name", "path"})
    defaults = {"path": "/"}
    documents = frozenset({"assumeRolePolicy"})
    auto_name = AutoName("name", 64)

    def create(self, place: Place, inputs: Properties) -> str:
        place.client.create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Tags=pairs(inputs["tagsAll"]),
            **pascal(select(inputs, "description", "path")),
        )
        return str(inputs["name"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        role = place.client.get_role(RoleName=identity)["Role"]
        return {
            "arn": role["Arn"],
            "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
            "description": role.get("Description", ""),
            "name": role["RoleName"],
            "path": role["Path"],
            "tagsAll": from_pairs(role.get("Tags", [])),
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        client = place.client
        if "assumeRolePolicy" in changed:
            document = inputs["assumeRolePolicy"]
            client.update_assume_role_policy(RoleName=identity, PolicyDocument=document)
        if "description" in changed:
            client.update_role(RoleName=identity, Description=inputs.get("description", ""))

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_role(RoleName=identity)

    def tag(self, place: Place, state: Properties, tags: dict[str, str]) -> None:
        place.client.tag_role(RoleName=state["name"], Tags=pairs(tags))

    def untag(self, place: Place, state: Properties, names: list[str]) -> None:
        place.client.untag_role(RoleName=state["name"], TagKeys=names)


class RolePolicy(Resource):
    """A policy inside a role; its id is ``role:policy``."""

    type_name = "aws:iam/rolePolicy:RolePolicy"
    service = "iam"
    inputs = frozenset({"name", "policy", "role"})
    replaces = frozenset({"name", "role"})
    documents = frozenset({"policy"})
    auto_name = AutoName("name", 128)

    def create(self, place: Place, inputs: Properties) -> str:
        place.client.put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
        )
        return f"{inputs['role']}:{inputs['name']}"

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        role, name = identity.split(":")
        answer = place.client.get_role_policy(RoleName=role, PolicyName=name)
        return {"name": name, "policy": json.dumps(answer["PolicyDocument"]), "role": role}

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        self.create(place, inputs)

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        role, name = identity.split(":")
        place.client.delete_role_policy(RoleName=role, PolicyName=name)
