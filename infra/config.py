"""The stack's config, validated before any resource is declared."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pulumi
import pulumi_aws as aws

from handler.model.network import ALL_REGIONS
from handler.organization.configuration import Organization
from handler.policy.policy import Policy
from handler.policy.validation import PolicyError
from handler.settings import MAIL_ADDRESS, Notify, SettingsError, parse_recipients
from infra import organization_permissions, permissions, schedule_expression
from infra.config_reader import ConfigReader, refuse
from infra.location import Location
from infra.organization_config import read_organization

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
# A new account runs ten functions at a time.
DEFAULT_CONCURRENCY = 8
# Lambda allows 4 KB of environment variables in all. Those that are not of the config, such as the
# enabled regions, take less than 800 bytes.
MAX_ENVIRONMENT = 3300
# All inline policies of a role, without white space:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MAX_POLICY_CHARACTERS = 10_240
_LONGEST_LOCATION = Location("aws-us-gov", "ap-southeast-2", "123456789012")
_LONGEST_BUCKET_ARN = f"arn:aws-us-gov:s3:::{63 * 'b'}"
# Longer than the ARN of any log group that the stack declares.
_LONGEST_LOG_GROUP_ARN = 114 * "l"
DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class StackConfig:
    """One stack's settings, complete and valid.

    ``schedule`` and ``longest_gap_minutes``, the longest time between two scheduled runs, are None
    if the schedule is disabled; ``policy`` becomes policy.json in the function's archive.
    ``regions`` is empty for every region that is enabled.
    ``organization`` is None if the stack audits its own account only; with many accounts
    ``attribution`` is false.
    """

    sender: str
    recipients: tuple[str, ...]
    schedule: str | None
    longest_gap_minutes: int | None
    realtime: bool
    regions: tuple[str, ...]
    notify: str
    attribution: bool
    publish_events: bool
    copied_domains: tuple[str, ...]
    alarms: bool
    create_identities: bool
    report_retention_days: int
    delete_reports: bool
    log_retention_days: int
    memory_size: int
    timeout: int
    policy: Mapping[str, Any]
    organization: Organization | None
    deploy_member_role: bool
    scan_concurrency: int

    @classmethod
    def load(cls) -> "StackConfig":
        """The config of the stack that is being deployed.

        Raises ``pulumi.RunError`` with one sentence that names key, expectation and value.
        """
        reader = ConfigReader()
        try:
            config = cls._read(reader)
        except (PolicyError, SettingsError) as error:
            raise pulumi.RunError(str(error)) from error
        reader.refuse_unknown_keys()
        _refuse_unavailable_settings(config)
        _refuse_long_environment(config)
        _refuse_long_policy(config)
        return config

    @classmethod
    def _read(cls, reader: ConfigReader) -> "StackConfig":
        sender = reader.text("sender")
        if not MAIL_ADDRESS.fullmatch(sender):
            refuse("sender", "one mail address", sender)
        schedule, longest_gap_minutes = _read_schedule(reader)
        organization = read_organization(reader)
        return cls(
            sender=sender,
            recipients=parse_recipients("recipients", reader.items("recipients")),
            schedule=schedule,
            longest_gap_minutes=longest_gap_minutes,
            realtime=reader.boolean("realtime", default=False),
            regions=_read_regions(reader),
            notify=reader.choice("notify", tuple(Notify), Notify.CHANGES),
            attribution=reader.boolean("attribution", default=True) and organization is None,
            publish_events=reader.boolean("publishEvents", default=False),
            copied_domains=_read_copied_domains(reader),
            alarms=reader.boolean("alarms", default=True),
            create_identities=reader.boolean("createIdentities", default=True),
            report_retention_days=reader.integer(
                "reportRetentionDays", 1, 3650, "days", default=365
            ),
            delete_reports=reader.boolean("deleteReports", default=True),
            log_retention_days=int(
                reader.choice("logRetentionDays", tuple(map(str, RETENTION_DAYS)), "90")
            ),
            # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
            memory_size=reader.integer("memorySize", 128, 10_240, "MB", default=512),
            timeout=reader.integer("timeout", 1, 900, "seconds", default=300),
            policy=_read_policy(reader),
            organization=organization,
            deploy_member_role=reader.boolean("deployMemberRole", default=False),
            scan_concurrency=reader.integer(
                "scanConcurrency", 1, 1000, "accounts at a time", default=DEFAULT_CONCURRENCY
            ),
        )

    @property
    def environment(self) -> dict[str, str]:
        """The settings that the function reads from its environment, by variable."""
        return {
            "SES_SENDER": self.sender,
            "SES_RECIPIENT": ",".join(self.recipients),
            "AUDIT_REGIONS": ",".join(self.regions or (ALL_REGIONS,)),
            "NOTIFY": self.notify,
            "ATTRIBUTION": str(self.attribution).lower(),
            "PUBLISH_EVENTS": str(self.publish_events).lower(),
            "COPY_ACTOR": ",".join(self.copied_domains),
        }

    @property
    def addresses(self) -> tuple[str, ...]:
        """The sender and the recipients of all digests."""
        digests = self.organization.digests if self.organization else ()
        teams = (recipient for digest in digests for recipient in digest.recipients)
        return (self.sender, *self.recipients, *teams)

    def mailing_policy(self, location: Location) -> Callable[..., permissions.Document]:
        """Makes the policy of the function that mails, of ``log_group_arn`` and ``bucket_arn``."""
        resources = (
            *permissions.mail_resources(self.addresses, created=self.create_identities),
            *permissions.copy_resources(self.copied_domains),
        )
        mail_arns = [location.arn("ses", resource) for resource in resources]
        if self.organization:
            report_policy = organization_permissions.report_policy
            return partial(report_policy, mail_arns=mail_arns, sender=self.sender)
        return partial(
            permissions.function_policy,
            mail_arns=mail_arns,
            sender=self.sender,
            regions=self.regions,
            attribution=self.attribution,
        )


def _read_copied_domains(reader: ConfigReader) -> tuple[str, ...]:
    domains = reader.items("copyActor", [])
    for domain in domains:
        if not isinstance(domain, str) or not MAIL_ADDRESS.fullmatch(f"a@{domain}"):
            refuse("copyActor", "a list of mail domains, for example example.com", domain)
    return tuple(sorted({domain.lower() for domain in domains}))


def _refuse_unavailable_settings(config: StackConfig) -> None:
    """Raises ``pulumi.RunError`` for a setting that has no meaning for the stack's accounts."""
    if config.deploy_member_role and not (config.organization and config.organization.units):
        hint = "CloudFormation deploys the role to organizational units"
        refuse(
            "deployMemberRole", "false without organizationalUnits", config.deploy_member_role, hint
        )
    if not config.organization:
        if config.scan_concurrency != DEFAULT_CONCURRENCY:
            expectation = "left out without accounts or organizationalUnits"
            refuse("scanConcurrency", expectation, config.scan_concurrency)
        return
    condition = "with accounts or organizationalUnits"
    for key, value, hint in (
        ("realtime", config.realtime, "it works for one account only"),
        ("publishEvents", config.publish_events, "it publishes changes of one account only"),
    ):
        if value:
            refuse(key, f"false {condition}", value, hint)
    if config.copied_domains:
        hint = "it is not looked up who opened something"
        refuse("copyActor", f"left out {condition}", ", ".join(config.copied_domains), hint)


def _refuse_long_environment(config: StackConfig) -> None:
    """Raises ``pulumi.RunError`` if Lambda would refuse the function's environment."""
    size = sum(len(name + value) for name, value in config.environment.items())
    if size > MAX_ENVIRONMENT:
        expectation = f"at most {MAX_ENVIRONMENT} characters in all"
        hint = "Lambda's environment holds 4 KB"
        refuse("sender, recipients, regions and copyActor", expectation, size, hint)


def _refuse_long_policy(config: StackConfig) -> None:
    """Raises ``pulumi.RunError`` if the function that mails would have too long a policy."""
    mailing_policy = config.mailing_policy(_LONGEST_LOCATION)
    documents = [
        mailing_policy(log_group_arn=_LONGEST_LOG_GROUP_ARN, bucket_arn=_LONGEST_BUCKET_ARN)
    ]
    if config.publish_events:
        bus_arn = _LONGEST_LOCATION.arn("events", "event-bus/default")
        documents.append(permissions.publisher_policy(bus_arn))
    size = sum(len(json.dumps(document, separators=(",", ":"))) for document in documents)
    if size > MAX_POLICY_CHARACTERS:
        expectation = f"addresses whose IAM policy has at most {MAX_POLICY_CHARACTERS} characters"
        digests = config.organization and config.organization.digests
        key = "recipients and digests" if digests else "recipients"
        refuse(key, expectation, size, "use fewer, or fewer domains")


def _read_schedule(reader: ConfigReader) -> tuple[str | None, int | None]:
    expectation = f"rate(...), cron(...) or {DISABLED}"
    expression = reader.text("schedule", default="rate(1 day)")
    if expression == DISABLED:
        return None, None
    if (problem := schedule_expression.find_problem(expression)) is not None:
        refuse("schedule", expectation, expression, problem)
    today = datetime.now(UTC).date()
    longest_gap_minutes = schedule_expression.longest_gap_minutes(expression, today)
    if longest_gap_minutes is None:
        refuse("schedule", expectation, expression, "no day from today on matches it")
    return expression, longest_gap_minutes


def _read_regions(reader: ConfigReader) -> tuple[str, ...]:
    regions = reader.items("regions", [ALL_REGIONS])
    if not regions or (ALL_REGIONS in regions and len(regions) > 1):
        refuse("regions", f"[{ALL_REGIONS}] or a list of regions", regions)
    names = [ALL_REGIONS, *(region.value for region in aws.Region)]
    for region in regions:
        if region not in names:
            refuse("regions", "names of AWS regions, for example eu-west-1", region)
    return tuple(sorted(set(regions) - {ALL_REGIONS}))


def _read_policy(reader: ConfigReader) -> Mapping[str, Any]:
    policy = {
        "minimumSeverity": reader.text("minimumSeverity", default="low"),
        "trustedCidrs": reader.items("trustedCidrs", []),
        "authorizedPorts": reader.items("authorizedPorts", []),
        "exceptions": reader.items("exceptions", []),
    }
    Policy.parse(policy, datetime.now(UTC).date())
    return policy
