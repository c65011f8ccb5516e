"""A Lambda function of the stack, with its role."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra import permissions
from infra.ledger_bucket import LedgerBucket
from infra.role import declare_policy, declare_role


@dataclass(frozen=True, slots=True)
class SharedResources:
    """The resources that all functions of a stack use, and their options."""

    code: pulumi.Archive
    log_group: aws.cloudwatch.LogGroup
    ledger: LedgerBucket
    opts: pulumi.ResourceOptions


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """The settings of a function and of its role.

    ``policy`` makes the role's policy of ``log_group_arn``, ``bucket_arn`` and the other ``arns``,
    by name. ``memory`` is in MB, ``timeout`` in seconds. A role with a ``role_name`` has exactly
    this name, all others have one of Pulumi's.
    """

    description: str
    role_description: str
    handler: str
    policy: Callable[..., permissions.Document]
    environment: Mapping[str, pulumi.Input[str]]
    memory: int
    timeout: int
    arns: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    role_name: str | None = None
    depends_on: Sequence[pulumi.Resource] = ()


def declare_function(
    name: str, spec: FunctionSpec, shared: SharedResources
) -> tuple[aws.lambda_.Function, aws.iam.Role]:
    """A function, created once its policy and the bucket's protections exist, and its role."""
    opts, ledger = shared.opts, shared.ledger
    arns = pulumi.Output.all(
        log_group_arn=shared.log_group.arn, bucket_arn=ledger.bucket.arn, **spec.arns
    )
    role = declare_role(
        f"{name}-role", spec.role_description, permissions.assume_role(), opts, spec.role_name
    )
    document = arns.apply(lambda arns: spec.policy(**arns))
    policy = declare_policy(f"{name}-policy", role, document, opts)
    function = aws.lambda_.Function(
        f"{name}-function",
        description=spec.description,
        runtime="python3.13",
        architectures=["arm64"],
        handler=spec.handler,
        code=shared.code,
        role=role.arn,
        memory_size=spec.memory,
        timeout=spec.timeout,
        environment={
            "variables": {
                **spec.environment,
                "LEDGER_BUCKET": ledger.bucket.bucket,
                "STACK": pulumi.get_stack(),
            }
        },
        logging_config={
            "log_format": "JSON",
            "log_group": shared.log_group.name,
            "application_log_level": "INFO",
            "system_log_level": "INFO",
        },
        # A run before its policy exists could neither read nor log, and a report written before
        # the bucket is protected would be exposed.
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(depends_on=[policy, *ledger.protections, *spec.depends_on]),
        ),
    )
    return function, role
