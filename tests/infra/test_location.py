"""The region that the stack deploys into."""

import pulumi
import pytest

from tests.infra.conftest import Deploy
from tests.infra.resource_types import FUNCTION


@pytest.mark.parametrize("region", ["ap-east-1", "cn-north-1"])
def test_region_without_ses_is_refused(deploy: Deploy, region: str) -> None:
    """A region that AWS has without SES stops the preview with one sentence."""
    with pytest.raises(pulumi.RunError) as error:
        deploy(aws_region=region)
    assert str(error.value) == (
        f"aws:region must be a region in which SES is available, got '{region}'."
    )


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "xx-new-1"])
def test_region_with_ses_is_accepted(deploy: Deploy, region: str) -> None:
    """A region with SES is accepted, and so is one that botocore does not know yet."""
    assert deploy(aws_region=region).one(FUNCTION)


def test_audited_region_of_another_partition_is_refused(deploy: Deploy) -> None:
    """A stack in AWS GovCloud cannot audit a region outside, nor the other way round."""
    with pytest.raises(pulumi.RunError) as error:
        deploy(aws_region="us-gov-west-1", regions=["us-gov-east-1", "eu-west-1"])
    assert str(error.value) == "regions must be regions of aws-us-gov, got 'eu-west-1'."
    with pytest.raises(pulumi.RunError) as error:
        deploy(regions=["eu-west-1", "us-gov-west-1"])
    assert str(error.value) == "regions must be regions of aws, got 'us-gov-west-1'."


def test_audited_region_of_the_same_partition_is_accepted(deploy: Deploy) -> None:
    """A stack in AWS GovCloud may audit its own region."""
    assert deploy(aws_region="us-gov-west-1", regions=["us-gov-west-1"]).one(FUNCTION)
