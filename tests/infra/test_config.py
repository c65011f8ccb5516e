"""Which values of the stack's config are refused, and the sentence that says why."""

import pulumi
import pytest

from tests.infra.conftest import Deploy

EXPIRED_EXCEPTION = {
    "group": "a",
    "ports": "tcp/1",
    "reason": "b",
    "owner": "c",
    "until": "2001-01-01",
}
LONG_ADDRESSES = [f"{'a' * 60}{number}@{'b' * 60}.example.com" for number in range(25)]


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"sender": None}, "Stack 'dev' is missing configuration value 'sender'."),
        ({"sender": "audit"}, "sender must be one mail address, got 'audit'."),
        (
            {"sender": "a@example.com, b@example.com"},
            "sender must be one mail address, got 'a@example.com, b@example.com'.",
        ),
        ({"sender": "*@example.com"}, "sender must be one mail address, got '*@example.com'."),
        (
            {"recipients": ["a@example.com", "a@Example.com"]},
            "recipients must be a list without duplicates, got 'a@Example.com': it is there twice.",
        ),
        ({"recipients": None}, "Stack 'dev' is missing configuration value 'recipients'."),
        ({"recipients": []}, "recipients must be 1 to 50 mail addresses, got 0."),
        (
            {"recipients": [f"a{number}@example.com" for number in range(51)]},
            "recipients must be 1 to 50 mail addresses, got 51.",
        ),
        (
            {"recipients": ["a@example.com", "b@example"]},
            "recipients must be mail addresses, got 'b@example'.",
        ),
        (
            {"recipients": ["a@example.com", "a@example.com"]},
            "recipients must be a list without duplicates, got 'a@example.com': it is there twice.",
        ),
        ({"recipients": "a@example.com"}, "recipients must be a list, got 'a@example.com'."),
        ({"recipients": [1]}, "recipients must be mail addresses, got 1."),
        pytest.param(
            {"recipients": LONG_ADDRESSES},
            "sender, recipients, regions and copyActor must be at most 3300 characters in all, "
            "got 3502: Lambda's environment holds 4 KB.",
        ),
        pytest.param(
            {
                "createIdentities": False,
                "recipients": [f"a@{'b' * 30}.c{number}.example.com" for number in range(50)],
            },
            "recipients must be addresses whose IAM policy has at most 10240 characters, "
            "got 16481: use fewer, or fewer domains.",
        ),
        (
            {"recipients": 100_000 * "["},
            f"recipients must be a list, got '{37 * '['}...{38 * '['}'.",
        ),
        pytest.param(
            {"schedule": f"rate({251 * '9'} days)"},
            "schedule must be rate(...), cron(...) or disabled, "
            f"got 'rate({32 * '9'}...{32 * '9'} days)': it has more than 256 characters.",
        ),
        pytest.param(
            {"schedule": "rate(1 days)"},
            "schedule must be rate(...), cron(...) or disabled, got 'rate(1 days)': "
            "write rate(1 day).",
        ),
        pytest.param(
            {"schedule": "rate(2 day)"},
            "schedule must be rate(...), cron(...) or disabled, got 'rate(2 day)': "
            "write rate(2 days).",
        ),
        pytest.param(
            {"schedule": "rate(0 days)"},
            "schedule must be rate(...), cron(...) or disabled, got 'rate(0 days)': "
            "the value of a rate is a whole number above 0.",
        ),
        (
            {"schedule": "every day"},
            "schedule must be rate(...), cron(...) or disabled, got 'every day'.",
        ),
        pytest.param(
            {"schedule": "cron(0 6 * * *)"},
            "schedule must be rate(...), cron(...) or disabled, got 'cron(0 6 * * *)': "
            "cron takes six fields (minutes, hours, day of month, month, day of week, year), "
            "not 5.",
        ),
        pytest.param(
            {"schedule": "cron(0 6 * * ? 2020)"},
            "schedule must be rate(...), cron(...) or disabled, got 'cron(0 6 * * ? 2020)': "
            "no day from today on matches it.",
        ),
        pytest.param(
            {"copyActor": ["*.example.com"]},
            "copyActor must be a list of mail domains, for example example.com, "
            "got '*.example.com'.",
        ),
        (
            {"copyActor": [1.5]},
            "copyActor must be a list of mail domains, for example example.com, got 1.5.",
        ),
        (
            {"regions": [["eu-west-1"]]},
            "regions must be names of AWS regions, for example eu-west-1, got ['eu-west-1'].",
        ),
        ({"realtime": "yes"}, "realtime must be true or false, got 'yes'."),
        ({"alarms": 1}, "alarms must be true or false, got '1'."),
        ({"deleteReports": "no"}, "deleteReports must be true or false, got 'no'."),
        ({"reportRetentionDays": 0}, "reportRetentionDays must be 1 to 3650 days, got 0."),
        ({"reportRetentionDays": 3651}, "reportRetentionDays must be 1 to 3650 days, got 3651."),
        (
            {"regions": ["eu-west-9"]},
            "regions must be names of AWS regions, for example eu-west-1, got 'eu-west-9'.",
        ),
        ({"regions": []}, "regions must be [all] or a list of regions, got []."),
        (
            {"regions": ["all", "eu-west-1"]},
            "regions must be [all] or a list of regions, got ['all', 'eu-west-1'].",
        ),
        ({"notify": "never"}, "notify must be one of changes, findings, always, got 'never'."),
        (
            {"minimumSeverity": "worst"},
            "minimumSeverity must be one of critical, high, medium, low, info, got 'worst'.",
        ),
        (
            {"trustedCidrs": ["office"]},
            "trustedCidrs[0] must be a CIDR like 192.0.2.0/24 or 2001:db8::/32, got 'office'.",
        ),
        pytest.param(
            {"authorizedPorts": ["443"]},
            "authorizedPorts[0] must be of the form tcp/443, tcp/8000-8010, udp, icmp/8, "
            "protocol/50 or all, got '443'.",
        ),
        ({"exceptions": "none"}, "exceptions must be a list, got 'none'."),
        (
            {"exceptions": [{"group": "shop"}]},
            "exceptions[0] must have ports, reason, owner, until.",
        ),
        (
            {"exceptions": [EXPIRED_EXCEPTION]},
            "exceptions[0].until must be a date within the last year or later, got '2001-01-01'.",
        ),
        ({"createIdentities": "maybe"}, "createIdentities must be true or false, got 'maybe'."),
        pytest.param(
            {"logRetentionDays": 91},
            "logRetentionDays must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, "
            "545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653, got '91'.",
        ),
        ({"memorySize": 127}, "memorySize must be 128 to 10240 MB, got 127."),
        ({"memorySize": 10241}, "memorySize must be 128 to 10240 MB, got 10241."),
        ({"memorySize": "big"}, "memorySize must be a whole number, got 'big'."),
        ({"timeout": 0}, "timeout must be 1 to 900 seconds, got 0."),
        ({"timeout": 901}, "timeout must be 1 to 900 seconds, got 901."),
        ({"timeout": True}, "timeout must be a whole number, got 'true'."),
        (
            {"recipient": "a@example.com"},
            "recipient is no setting of security-group-audit; did you mean recipients?",
        ),
        ({"xyz": "1"}, "xyz is no setting of security-group-audit; see docs/configuration.md."),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)
def test_invalid_config_is_refused(
    deploy: Deploy, overrides: dict[str, object], sentence: str
) -> None:
    """An invalid value raises RunError with one sentence: key, expectation and value."""
    with pytest.raises(pulumi.RunError) as error:
        deploy(**overrides)
    assert str(error.value) == sentence


@pytest.mark.parametrize("key", ["sender", "externalId"])
def test_secret_is_refused_unseen(
    deploy: Deploy, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that was made a secret is refused before its value appears anywhere."""
    # So `pulumi up` tells a program which of the values that it has decrypted are secrets.
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", f'["security-group-audit:{key}"]')
    with pytest.raises(pulumi.RunError) as error:
        deploy(**{key: "hush-hush"})
    assert str(error.value) == (
        f"{key} must be set without --secret, because AWS and the stack's state show its value."
    )


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({"memorySize": 128}, id="memory-128"),
        pytest.param({"memorySize": 10240}, id="memory-10240"),
        pytest.param({"reportRetentionDays": 1}, id="reports-1-day"),
        pytest.param({"reportRetentionDays": 3650}, id="reports-ten-years"),
        pytest.param({"timeout": 1}, id="timeout-1"),
        pytest.param({"timeout": 900}, id="timeout-900"),
        pytest.param({"logRetentionDays": 3653}, id="retention-ten-years"),
        pytest.param({"recipients": [f"a{n}@example.com" for n in range(50)]}, id="50-recipients"),
        pytest.param({"sender": "o'hara+audit@mail.example.co.uk"}, id="sender-unusual"),
    ],
)
def test_bounds_are_inclusive(deploy: Deploy, overrides: dict[str, object]) -> None:
    """The smallest and largest values that AWS accepts are valid, as are unusual addresses."""
    assert deploy(**overrides).resources
