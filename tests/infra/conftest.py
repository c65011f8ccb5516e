"""Runs the real __main__.py against Pulumi's mocks, which record what it declares."""

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

# One loop for all tests: the SDK creates others in its threads, which warn when they are closed.
_LOOP = asyncio.new_event_loop()

ACCOUNT = "123456789012"
MANAGEMENT_ACCOUNT = "999999999999"
REGION = "eu-west-1"
DEV = {"sender": "audit@example.com", "recipients": ["security@example.com"]}

_PARTITIONS = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}
_INVOKE_RESULTS: dict[str, dict[str, Any]] = {
    "aws:index/getRegions:getRegions": {"names": ["us-east-1", "eu-west-1", "eu-central-1"]},
    "aws:organizations/getOrganization:getOrganization": {
        "id": "o-ab12cd34ef",
        "masterAccountId": MANAGEMENT_ACCOUNT,
    },
}


@dataclass
class Deployment(pulumi.runtime.Mocks):
    """The declared resources: their inputs by type and name."""

    region: str = REGION
    account: str = ACCOUNT
    resources: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Record the resource and return the outputs that AWS would add: a name and an ARN."""
        self.resources.setdefault(args.typ, {})[args.name] = args.inputs
        identity = {"name": args.name, "arn": f"arn:{args.typ}:{args.name}"}
        if args.typ == "aws:s3/bucket:Bucket":
            identity["bucket"] = args.name
        return args.name, identity | args.inputs

    def call(
        self, args: pulumi.runtime.MockCallArgs
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """The result of an invoke (account, partition, region or regions), and no failures."""
        results = _INVOKE_RESULTS | {
            "aws:index/getPartition:getPartition": {
                "partition": _PARTITIONS.get(self.region, "aws")
            },
            "aws:index/getRegion:getRegion": {"region": self.region},
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": self.account},
        }
        return results[args.token], []

    def all(self, kind: str) -> list[dict[str, Any]]:
        """The inputs of every resource of a type, by name: the SDK declares them in any order."""
        return [inputs for _, inputs in sorted(self.resources.get(kind, {}).items())]

    def named(self, kind: str, name: str) -> dict[str, Any]:
        """The inputs of the resource of a type with this name, without the component's."""
        return self.resources[kind][f"security-group-audit-{name}"]

    def one(self, kind: str) -> dict[str, Any]:
        """The inputs of the only resource of a type."""
        (inputs,) = self.all(kind)
        return inputs


Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(project: Path) -> Deploy:
    """Run the program for stack dev: ``deploy(schedule="disabled")`` changes one setting."""

    def run(
        base: Mapping[str, Any] = DEV,
        *,
        aws_region: str = REGION,
        aws_account: str = ACCOUNT,
        **overrides: object,
    ) -> Deployment:
        deployment = Deployment(aws_region, aws_account)
        config = {**base, **overrides}

        asyncio.set_event_loop(_LOOP)
        settings.reset_options()
        pulumi.runtime.set_all_config(
            {
                f"security-group-audit:{key}": value
                if isinstance(value, str)
                else json.dumps(value)
                for key, value in config.items()
                if value is not None
            }
        )
        pulumi.runtime.set_mocks(
            deployment, project="security-group-audit", stack="dev", preview=False
        )
        program = str(project / "__main__.py")
        pulumi.runtime.test(lambda: runpy.run_path(program) and None)()  # type: ignore[no-untyped-call] # the SDK's
        return deployment

    return run
