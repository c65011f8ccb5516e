"""The role that the audit assumes in other accounts, as a CloudFormation template."""

from typing import Any

from handler.organization.configuration import Organization
from infra.location import Location
from infra.permissions import document, read_groups


def member_role_template(
    accounts: Organization, location: Location, organization_id: str | None
) -> dict[str, Any]:
    """The template of the role, which only the scan role may assume.

    With an ``organization_id`` the scan role's account must be in that organization, with an
    external ID the scan role must pass it.
    """
    conditions = {
        # A condition, because IAM stores a principal as the ID of the present role: if the role was
        # recreated with the same name, it could not assume this one.
        "aws:PrincipalArn": location.role_arn(accounts.scan_role),
        "aws:PrincipalOrgID": organization_id,
        "sts:ExternalId": accounts.external_id,
    }
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{location.partition}:iam::{location.account}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {key: v for key, v in conditions.items() if v}},
    }
    # In all regions: with a condition, the role would have to be deployed again to every account
    # whenever the stack's regions change.
    policy = document(read_groups(()))
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets the security-group audit of another account read security groups",
        "Resources": {
            "SecurityGroupAuditRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": accounts.member_role,
                    "AssumeRolePolicyDocument": document(trust),
                    "Policies": [{"PolicyName": "read-security-groups", "PolicyDocument": policy}],
                },
            }
        },
    }
