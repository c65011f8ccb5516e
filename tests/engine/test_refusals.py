"""Programs and configs that are refused in the preview, before anything is created."""

from typing import Any

import pytest

from sandbox.aws.account import Account
from sandbox.deployment import lifecycle
from sandbox.deployment.inputs import problems
from sandbox.deployment.stack import DeployError

from .conftest import Declare, Open


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        pytest.param(
            'aws.iam.User("somebody")',
            "The sandbox cannot create aws:iam/user:User; it knows",
            id="unknown-type",
        ),
        pytest.param(
            'aws.sns.Topic("topic", fifo_topic=True)',
            "The sandbox does not carry out the property fifoTopic of aws:sns/topic:Topic.",
            id="property-that-is-not-emulated",
        ),
        pytest.param(
            'aws.iam.Role("r" * 60, assume_role_policy=trust)',
            "may have 64 characters",
            id="automatic-name-too-long",
        ),
        pytest.param(
            "aws.get_availability_zones()",
            "The sandbox cannot answer aws:index/getAvailabilityZones:getAvailabilityZones; "
            "it knows",
            id="unknown-lookup",
        ),
    ],
)
def test_refused_at_preview(
    declare: Declare, stack: Open, account: Account, program: str, sentence: str
) -> None:
    """The preview fails with the sentence, and nothing has reached the account."""
    declare(program)
    with pytest.raises(DeployError) as failure:
        stack().preview()
    assert sentence in str(failure.value)
    assert account.calls == []


@pytest.mark.parametrize(
    ("type_name", "inputs", "sentence"),
    [
        pytest.param(
            "aws:iam/role:Role",
            {"assumeRolePolicy": "{}", "descriptoin": "x"},
            "The sandbox does not carry out the property descriptoin of aws:iam/role:Role.",
            id="unknown",
        ),
        pytest.param(
            "aws:cloudwatch/logGroup:LogGroup",
            {"region": "mars-1"},
            "aws:region must be a region of AWS, for example eu-west-1, got 'mars-1'.",
            id="unknown-region",
        ),
    ],
)
def test_refused_inputs(type_name: str, inputs: dict[str, Any], sentence: str) -> None:
    """The provider refuses an input with one sentence, which names its type and property."""
    found = problems(lifecycle.kind_of(type_name), "x", inputs)
    assert [problem for _, problem in found] == [sentence]


def test_program_refuses(declare: Declare, stack: Open) -> None:
    """A RunError's sentence is the whole message."""
    declare('raise pulumi.RunError("days must be 1 to 7, got 8.")')
    with pytest.raises(DeployError) as failure:
        stack().preview()
    assert str(failure.value) == "days must be 1 to 7, got 8."


def test_malformed_document_is_for_aws_to_refuse(declare: Declare, stack: Open) -> None:
    """A policy that is no JSON is compared as text, and AWS says what is wrong with it."""
    declare('aws.iam.Role("role", assume_role_policy=trust)')
    stack().up()
    declare('aws.iam.Role("role", assume_role_policy="no JSON")')
    with pytest.raises(DeployError, match=r"updating role: .*: MalformedPolicyDocument: "):
        stack().up()


def test_program_breaks(declare: Declare, stack: Open) -> None:
    """Any other exception shows where the program broke."""
    declare('config.require("sender").nothing')
    with pytest.raises(
        DeployError, match=r"(?s)^'str' object has no.*__main__\.py.*AttributeError"
    ):
        stack().preview()


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        pytest.param(
            {"sender": None},
            "Stack 'dev' is missing configuration value 'sender'",
            id="missing",
        ),
        pytest.param(
            {"days": "many"},
            "Stack 'dev' with configuration key 'days' must be of type 'integer'",
            id="wrong type",
        ),
        pytest.param(
            {"aws:region": "mars-1"},
            "aws:region must be a region of AWS, for example eu-west-1, got 'mars-1'.",
            id="region",
        ),
        pytest.param({"aws:reigon": "eu-west-1"}, "aws has no setting reigon.", id="setting"),
        pytest.param(
            {"token": {"secure": "v1:abc"}},
            "Pulumi.dev.yaml holds trial:token as a secret, which only its owner can decrypt: "
            "the sandbox needs another value for it.",
            id="secret",
        ),
    ],
)
def test_config_refused(
    declare: Declare, stack: Open, config: dict[str, object], sentence: str
) -> None:
    """A bad config value fails the preview with one sentence that names it."""
    declare('aws.cloudwatch.LogGroup("log")')
    with pytest.raises(DeployError) as failure:
        stack(**config).preview()
    assert str(failure.value) == sentence
