"""The role that the audit assumes in other accounts, as a CloudFormation template."""

from typing import Any

from infra import organization_permissions
from infra.location import Location
from infra.organization_config import OrganizationConfig


def member_role_template(
    config: OrganizationConfig, location: Location, organization: str | None
) -> dict[str, Any]:
    """The template of the role; ``organization`` is the id of the one that it must belong to."""
    trust = organization_permissions.member_role_trust(
        audit_account_arn=f"arn:{location.partition}:iam::{location.account}:root",
        # Its name is fixed, because the accounts trust it.
        scan_role_arn=location.role_arn(config.scan_role_name),
        organization=organization,
        external_id=config.external_id,
    )
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets the security-group audit of another account read security groups",
        "Resources": {
            "SecurityGroupAuditRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": config.member_role_name,
                    "AssumeRolePolicyDocument": trust,
                    "Policies": [
                        {
                            "PolicyName": "read-security-groups",
                            "PolicyDocument": organization_permissions.member_role_policy(),
                        }
                    ],
                },
            }
        },
    }
