"""Which settings for many accounts are refused, and the sentence that says why."""

from pathlib import Path

import pulumi
import pytest
import yaml

from tests.infra.conftest import Deploy
from tests.infra.resource_types import STACK_SET

ACCOUNT = "111122223333"
OTHER = "444455556666"
UNIT = "ou-ab12-cd34ef56"
TEAM = ["shop-team@example.com"]


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            {"accounts": [111122223333]},
            "accounts must be account IDs of 12 digits in quotes, got 111122223333.",
        ),
        (
            {"accounts": ["11112222333"]},
            "accounts must be account IDs of 12 digits in quotes, got '11112222333'.",
        ),
        (
            {"accounts": [ACCOUNT, ACCOUNT]},
            "accounts must be a list without duplicates, got '111122223333': it is there twice.",
        ),
        (
            {"accounts": [f"{number:012}" for number in range(501)]},
            "accounts must be at most 500 account IDs, got 501: use organizationalUnits.",
        ),
        pytest.param(
            {"organizationalUnits": ["Workloads"]},
            "organizationalUnits must be IDs of organizational units or the root, for example "
            "ou-ab12-cd34ef56, got 'Workloads'.",
        ),
        pytest.param(
            {"organizationalUnits": [UNIT, UNIT]},
            "organizationalUnits must be a list without duplicates, got 'ou-ab12-cd34ef56': "
            "it is there twice.",
        ),
        pytest.param(
            {"accounts": [ACCOUNT], "memberRoleName": "audit role"},
            "memberRoleName must be a role name of 1 to 59 letters, digits and _+=,.@-, "
            "got 'audit role'.",
        ),
        pytest.param(
            {"accounts": [ACCOUNT], "memberRoleName": 60 * "r"},
            "memberRoleName must be a role name of 1 to 59 letters, digits and _+=,.@-, "
            f"got '{60 * 'r'}'.",
        ),
        pytest.param(
            {"accounts": [ACCOUNT], "deployMemberRole": True},
            "deployMemberRole must be false without organizationalUnits, got true: "
            "CloudFormation deploys the role to organizational units.",
        ),
        (
            {"accounts": [ACCOUNT], "externalId": "a b"},
            "externalId must be 2 to 1224 letters, digits and _+=,.@:/-, got 'a b'.",
        ),
        (
            {"accounts": [ACCOUNT], "scanConcurrency": 0},
            "scanConcurrency must be 1 to 1000 accounts at a time, got 0.",
        ),
        (
            {"accounts": [ACCOUNT], "scanConcurrency": 1001},
            "scanConcurrency must be 1 to 1000 accounts at a time, got 1001.",
        ),
        pytest.param(
            {"accounts": [ACCOUNT], "digests": [{"accounts": [ACCOUNT]}]},
            "digests[0] must be an object with accounts and recipients, "
            "got {'accounts': ['111122223333']}.",
        ),
        (
            {"accounts": [ACCOUNT], "digests": [{"accounts": [], "recipients": TEAM}]},
            "digests[0].accounts must be at least one account ID, got [].",
        ),
        (
            {"accounts": [ACCOUNT], "digests": [{"accounts": [1], "recipients": TEAM}]},
            "digests[0].accounts must be account IDs of 12 digits in quotes, got 1.",
        ),
        (
            {"accounts": [ACCOUNT], "digests": [{"accounts": [OTHER], "recipients": TEAM}]},
            "digests[0].accounts must be IDs that accounts lists, got '444455556666'.",
        ),
        (
            {"accounts": [ACCOUNT], "digests": [{"accounts": [ACCOUNT], "recipients": ["team"]}]},
            "digests[0].recipients must be mail addresses, got 'team'.",
        ),
        pytest.param(
            {"accounts": [ACCOUNT], "digests": [{"accounts": ACCOUNT, "recipients": TEAM}]},
            "digests[0].accounts must be a list of account IDs of 12 digits in quotes, "
            "got '111122223333'.",
        ),
        (
            {"accounts": [ACCOUNT], "digests": [{"accounts": [ACCOUNT], "recipients": "a"}]},
            "digests[0].recipients must be a list of mail addresses, got 'a'.",
        ),
        pytest.param(
            {
                "accounts": [ACCOUNT, OTHER],
                "digests": [
                    {"accounts": [ACCOUNT, OTHER], "recipients": ["a@example.com", *TEAM]},
                    {"accounts": [OTHER, ACCOUNT], "recipients": [*TEAM, "a@example.com"]},
                ],
            },
            "digests[1] must be different from the other digests, got {'accounts': "
            "['444455556666', '111122223333'], 'recipients': ['shop-team@example.com', "
            "'a@example.com']}: it is there twice.",
        ),
        pytest.param(
            {
                "accounts": [ACCOUNT],
                "digests": [
                    {"accounts": [ACCOUNT], "recipients": [f"a{number}@example.com"]}
                    for number in range(150)
                ],
            },
            "recipients and digests must be addresses whose IAM policy has at most 10240 "
            "characters, got 13064: use fewer, or fewer domains.",
        ),
        pytest.param(
            {"accounts": [ACCOUNT], "realtime": True},
            "realtime must be false with accounts or organizationalUnits, got true: "
            "it works for one account only.",
        ),
        pytest.param(
            {"organizationalUnits": [UNIT], "realtime": True},
            "realtime must be false with accounts or organizationalUnits, got true: "
            "it works for one account only.",
        ),
        pytest.param(
            {"accounts": [ACCOUNT], "publishEvents": True},
            "publishEvents must be false with accounts or organizationalUnits, got true: "
            "it publishes changes of one account only.",
        ),
        pytest.param(
            {"accounts": [ACCOUNT], "copyActor": ["example.com"]},
            "copyActor must be left out with accounts or organizationalUnits, got 'example.com': "
            "it is not looked up who opened something.",
        ),
        (
            {"memberRoleName": "audit"},
            "memberRoleName must be left out without accounts or organizationalUnits, got 'audit'.",
        ),
        (
            {"externalId": "secret"},
            "externalId must be left out without accounts or organizationalUnits, got 'secret'.",
        ),
        (
            {"scanConcurrency": 9},
            "scanConcurrency must be left out without accounts or organizationalUnits, got 9.",
        ),
        pytest.param(
            {"digests": [{"accounts": [ACCOUNT], "recipients": TEAM}]},
            "digests must be left out without accounts or organizationalUnits, "
            "got [{'accounts': [...], 'recipients': [...]}].",
        ),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)
def test_invalid_settings_are_refused(
    deploy: Deploy, overrides: dict[str, object], sentence: str
) -> None:
    """An invalid value raises RunError with one sentence: key, expectation and value."""
    with pytest.raises(pulumi.RunError) as error:
        deploy(**overrides)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({"accounts": [f"{number:012}" for number in range(500)]}, id="500-accounts"),
        pytest.param({"organizationalUnits": ["r-ab12"]}, id="the-root"),
        pytest.param({"accounts": [ACCOUNT], "memberRoleName": 59 * "r"}, id="role-of-59-letters"),
        pytest.param({"accounts": [ACCOUNT], "scanConcurrency": 1}, id="concurrency-1"),
        pytest.param({"accounts": [ACCOUNT], "scanConcurrency": 1000}, id="concurrency-1000"),
        pytest.param({"accounts": [ACCOUNT], "externalId": "a:/b"}, id="external-id"),
        pytest.param(
            {
                "accounts": [ACCOUNT],
                "organizationalUnits": [UNIT],
                "digests": [{"accounts": [OTHER], "recipients": TEAM}],
            },
            id="digest-of-an-account-in-a-unit",
        ),
        pytest.param(
            {
                "accounts": [ACCOUNT],
                "digests": [
                    {"accounts": [ACCOUNT], "recipients": [f"team-{number:03}@example.com"]}
                    for number in range(105)
                ],
            },
            id="as-many-addresses-as-the-report-function-may-use",
        ),
    ],
)
def test_bounds_are_inclusive(deploy: Deploy, overrides: dict[str, object]) -> None:
    """The smallest and largest values are valid; units may have any account."""
    assert deploy(**overrides).resources


def test_example_of_an_organization_is_valid(deploy: Deploy, project: Path) -> None:
    """docs/Pulumi.organization.yaml has valid settings of this project only."""
    example = yaml.safe_load((project / "docs" / "Pulumi.organization.yaml").read_text("utf-8"))
    settings = {
        key.removeprefix("security-group-audit:"): value
        for key, value in example["config"].items()
        if not key.startswith("aws:")
    }
    assert deploy(settings).named(STACK_SET, "member-role")
