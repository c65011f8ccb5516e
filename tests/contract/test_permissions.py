"""What the function may do is what it does."""

from infra import permissions
from tests.end_to_end.conftest import Deployed

# What a call is checked against, where that is not its own name in its own service.
CHECKED_AS = {
    # Needs no permission: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    ("sts", "GetCallerIdentity"): (),
    # A raw message of SES's second API is checked against both names.
    ("sesv2", "SendEmail"): ("ses:SendEmail", "ses:SendRawEmail"),
    # Where there is no object, the second decides between "missing" and "denied":
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    ("s3", "GetObject"): ("s3:GetObject", "s3:ListBucket"),
}


def test_actions_are_the_operations_really_called(deployed: Deployed) -> None:
    """A run uses every action that the role allows, and calls nothing that it does not."""
    deployed.run()
    called = {
        action
        for call in deployed.account.calls
        if call.caller == deployed.caller
        for action in CHECKED_AS.get(
            (call.service, call.operation), (f"{call.service}:{call.operation}",)
        )
    }
    document = permissions.function_policy(
        log_group_arn="arn:log", bucket_arn="arn:bucket", identity_arns=["arn:identity"], regions=[]
    )
    allowed = {action for statement in document["Statement"] for action in statement["Action"]}
    assert called == allowed
