"""The role that the audit assumes in other accounts, as a CloudFormation template."""

from typing import Any

from handler.organization.configuration import Organization
from infra import organization_permissions
from infra.location import Location


def member_role_template(
    accounts: Organization, location: Location, organization_id: str | None
) -> dict[str, Any]:
    """The template of the role; ``organization_id`` is of the one that it must belong to."""
    trust = organization_permissions.member_role_trust(
        audit_account_arn=f"arn:{location.partition}:iam::{location.account}:root",
        # Its name is fixed, because the accounts trust it.
        scan_role_arn=location.role_arn(accounts.scan_role),
        organization=organization_id,
        external_id=accounts.external_id,
    )
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets the security-group audit of another account read security groups",
        "Resources": {
            "SecurityGroupAuditRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": accounts.member_role,
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
