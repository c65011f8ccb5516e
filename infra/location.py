"""The partition, region and account that the stack is deployed to."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver

from infra.config_reader import refuse


@dataclass(frozen=True, slots=True)
class Location:
    """A region of one account."""

    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of a regional service."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def role_arn(self, name: str, account: str | None = None) -> str:
        """The ARN of a role, in this account or another one."""
        return f"arn:{self.partition}:iam::{account or self.account}:role/{name}"


def look_up_organization(opts: pulumi.InvokeOptions) -> aws.organizations.GetOrganizationResult:
    """The organization of the account that the stack is in.

    Raises ``pulumi.RunError`` if there is none, or the deployer may not read it.
    """
    try:
        return aws.organizations.get_organization(return_organization_only=True, opts=opts)
    except Exception as error:  # Pulumi raises nothing narrower
        reason = str(error).rpartition(" returned an error: ")[2]
        raise pulumi.RunError(
            "organizationalUnits needs the organization of the stack's account, "
            f"which could not be read: {reason}"
        ) from error


def look_up_location(regions: Sequence[str], opts: pulumi.InvokeOptions) -> Location:
    """The location of the provider that deploys the stack, which audits the ``regions``.

    Raises ``pulumi.RunError`` if SES is not available there, as far as the installed botocore
    knows, or a region is of another partition.
    """
    region, partition = aws.get_region(opts=opts).region, aws.get_partition(opts=opts).partition
    # Not a boto3 session, which fails if AWS_PROFILE names a profile that does not exist.
    resolver = EndpointResolver(create_loader().load_data("endpoints"))
    ec2_regions = resolver.get_available_endpoints("ec2", partition)
    # A region that botocore does not know for EC2 either is newer than botocore: it may have SES.
    if region in ec2_regions and region not in resolver.get_available_endpoints("email", partition):
        refuse("aws:region", "a region in which SES is available", region)
    for audited_region in regions:
        if resolver.get_partition_for_region(audited_region) != partition:
            refuse("regions", f"regions of {partition}", audited_region)
    return Location(partition, region, aws.get_caller_identity(opts=opts).account_id)
