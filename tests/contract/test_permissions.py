"""The function may do exactly what it does."""

from infra import permissions
from tests.end_to_end.conftest import Deployed, Installer

# The IAM actions of the calls whose action has another name than the operation.
ACTIONS = {
    # Needs no permission: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    ("sts", "GetCallerIdentity"): (),
    # A raw message of SES's second API is checked against both names.
    ("sesv2", "SendEmail"): ("ses:SendEmail", "ses:SendRawEmail"),
    # Where there is no object, the second decides between "missing" and "denied":
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    ("s3", "GetObject"): ("s3:GetObject", "s3:ListBucket"),
}


def test_role_allows_exactly_the_actions_of_a_run(install: Installer[Deployed]) -> None:
    """Runs use each action that the role allows, and no other one."""
    deployed = install(publishEvents=True)
    # Its exclusions are read only where Block Public Access is on.
    deployed.account.networks.block_public_access(
        "eu-west-1", InternetGatewayBlockMode="block-ingress"
    )
    deployed.run()
    # Who opened something is asked only of what is new.
    ec2 = deployed.account.client("ec2")
    group_id = ec2.create_security_group(GroupName="new", Description="new")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group_id, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    deployed.run()
    called = {
        action
        for call in deployed.account.calls
        if call.caller == deployed.caller
        for action in ACTIONS.get(
            (call.service, call.operation), (f"{call.service}:{call.operation}",)
        )
    }
    document = permissions.function_policy(
        log_group_arn="arn:log",
        bucket_arn="arn:bucket",
        mail_arns=["arn:identity"],
        sender="audit@example.com",
        regions=[],
        attribution=True,
    )
    publisher = permissions.publisher_policy("arn:bus")
    statements = (*document["Statement"], *publisher["Statement"])
    allowed = {action for statement in statements for action in statement["Action"]}
    assert called == allowed
