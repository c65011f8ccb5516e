"""The settings in the function's environment, and the policy in its zip."""

import json
from pathlib import Path

import pytest

from handler import settings
from handler.model.finding import Severity
from handler.policy.policy import Policy
from handler.policy.validation import PolicyError
from handler.settings import Notify, Settings, SettingsError, deployed_policy

WIRED = {"SES_SENDER": "audit@example.com", "SES_RECIPIENT": "a@example.com, b@example.com"}


def test_sender_and_recipients_suffice() -> None:
    """All other settings have defaults: every region, mail on changes, no stack."""
    assert Settings.from_env(WIRED) == Settings(
        sender="audit@example.com",
        recipients=("a@example.com", "b@example.com"),
        regions=(),
        notify=Notify.CHANGES,
        stack=None,
    )


def test_everything_can_be_set() -> None:
    """Each has the value of its variable."""
    environment = {"AUDIT_REGIONS": "eu-west-1,us-gov-west-1", "NOTIFY": "always", "STACK": "dev"}
    more = {"ATTRIBUTION": "false", "REALTIME_REGIONS": "eu-west-1,us-east-1"}
    read = Settings.from_env(WIRED | environment | more)
    assert read.attribution is False
    assert read.realtime_regions == ("eu-west-1", "us-east-1")
    assert read.regions == ("eu-west-1", "us-gov-west-1")
    assert read.notify is Notify.ALWAYS
    assert read.stack == "dev"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"SES_SENDER": ""}, "environment variable SES_SENDER must be a mail address, got ''."),
        (
            {"SES_SENDER": "audit"},
            "environment variable SES_SENDER must be a mail address, got 'audit'.",
        ),
        (
            {"SES_RECIPIENT": " , "},
            "environment variable SES_RECIPIENT must be 1 to 50 mail addresses, got 0.",
        ),
        pytest.param(
            {"SES_RECIPIENT": "a@example.com\nBcc: b@example.com"},
            "environment variable SES_RECIPIENT must be mail addresses, "
            "got 'a@example.com\\nBcc: b@example.com'.",
        ),
        pytest.param(
            {"AUDIT_REGIONS": ""},
            "environment variable AUDIT_REGIONS must be all or regions separated by commas, "
            "got ''.",
        ),
        pytest.param(
            {"AUDIT_REGIONS": "all,here"},
            "environment variable AUDIT_REGIONS must be all or regions separated by commas, "
            "got 'all,here'.",
        ),
        (
            {"ATTRIBUTION": "yes"},
            "environment variable ATTRIBUTION must be true or false, got 'yes'.",
        ),
        (
            {"NOTIFY": "never"},
            "environment variable NOTIFY must be one of changes, findings, always, got 'never'.",
        ),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)
def test_an_invalid_variable_is_refused(environment: dict[str, str], sentence: str) -> None:
    """The SettingsError is one sentence with name, expectation and value."""
    with pytest.raises(SettingsError) as error:
        Settings.from_env(WIRED | environment)
    assert str(error.value) == sentence


@pytest.mark.parametrize("missing", ["SES_SENDER", "SES_RECIPIENT"])
def test_a_missing_variable_is_named(missing: str) -> None:
    """The SettingsError names the required variable."""
    environment = {name: value for name, value in WIRED.items() if name != missing}
    with pytest.raises(SettingsError, match=f"^environment variable {missing} must be"):
        Settings.from_env(environment)


def test_without_a_file_the_policy_is_the_default() -> None:
    """Without a policy.json the policy is the default one."""
    assert deployed_policy() == Policy()


def test_the_policy_is_read_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy is that of the zip's policy.json."""
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"minimumSeverity": "high"}), encoding="utf-8")
    monkeypatch.setattr(settings, "_POLICY", policy)
    assert deployed_policy() == Policy(minimum_severity=Severity.HIGH)


def test_a_broken_policy_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy.json that is not JSON raises a PolicyError of one sentence."""
    policy = tmp_path / "policy.json"
    policy.write_text("{", encoding="utf-8")
    monkeypatch.setattr(settings, "_POLICY", policy)
    with pytest.raises(PolicyError, match=r"^policy\.json must be JSON: "):
        deployed_policy()
