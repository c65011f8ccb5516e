"""IAM roles with inline policies."""

import json

import pulumi
import pulumi_aws as aws

from infra.permissions import Document


def declare_role(
    name: str,
    description: str,
    trust: Document,
    opts: pulumi.ResourceOptions,
    role_name: str | None = None,
) -> aws.iam.Role:
    """A role with that trust policy; with a ``role_name`` it has exactly this name in AWS."""
    return aws.iam.Role(
        name,
        name=role_name,
        description=description,
        assume_role_policy=json.dumps(trust),
        opts=opts,
    )


def declare_policy(
    name: str, role: aws.iam.Role, document: pulumi.Input[Document], opts: pulumi.ResourceOptions
) -> aws.iam.RolePolicy:
    """An inline policy of the role."""
    policy = pulumi.Output.json_dumps(document)
    return aws.iam.RolePolicy(name, role=role.name, policy=policy, opts=opts)
