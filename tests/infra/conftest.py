"""Runs the real program against a recorder instead of an engine."""

import asyncio
import json
import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import settings

# One for all tests: the SDK's mocks leave loops of their own in its threads, which complain when
# they end.
_LOOP = asyncio.new_event_loop()

ACCOUNT = "123456789012"
REGION = "eu-west-1"
DEV = {"sender": "audit@example.com", "recipients": ["security@example.com"]}

_ANSWERS = {
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
    "aws:index/getRegion:getRegion": {"region": REGION},
    "aws:index/getPartition:getPartition": {"partition": "aws"},
}


@dataclass
class Deployment(pulumi.runtime.Mocks):
    """What the program declared: each resource's inputs by type and name."""

    resources: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Record the resource and answer as AWS would, with a name and an ARN."""
        self.resources.setdefault(args.typ, {})[args.name] = args.inputs
        identity = {"name": args.name, "arn": f"arn:{args.typ}:{args.name}"}
        if args.typ == "aws:s3/bucket:Bucket":
            identity["bucket"] = args.name
        return args.name, identity | args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        """Answer the few questions that the program may ask."""
        return _ANSWERS[args.token]

    def all(self, kind: str) -> list[dict[str, Any]]:
        """The inputs of every resource of a type."""
        return list(self.resources.get(kind, {}).values())

    def one(self, kind: str) -> dict[str, Any]:
        """The inputs of the only resource of a type."""
        (inputs,) = self.all(kind)
        return inputs


Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(project: Path) -> Deploy:
    """Run the program for stack dev: ``deploy(schedule="disabled")`` changes one setting."""

    def run(base: Mapping[str, Any] = DEV, **overrides: object) -> Deployment:
        deployment = Deployment()
        values = {key: value for key, value in (base | overrides).items() if value is not None}

        asyncio.set_event_loop(_LOOP)
        settings.reset_options()
        pulumi.runtime.set_all_config(
            {
                f"security-group-audit:{key}": value
                if isinstance(value, str)
                else json.dumps(value)
                for key, value in values.items()
            }
        )
        pulumi.runtime.set_mocks(
            deployment, project="security-group-audit", stack="dev", preview=False
        )
        pulumi.runtime.test(lambda: runpy.run_path(str(project / "__main__.py")) and None)()
        return deployment

    return run
