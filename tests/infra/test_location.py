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
