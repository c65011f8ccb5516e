"""Reports of every kind, and the mails on them as a mail program reads them."""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO, StringIO
from zipfile import ZipFile

from handler.mail import compose
from handler.model.audit_report import Changes, Report
from handler.model.digest_kind import DigestKind
from handler.model.finding import Change, Previous, Severity, Status
from handler.model.network import Target
from handler.model.policy_exception import PolicyException
from handler.model.run import Coverage, CoverageStatus, Run, Scan, Trigger
from handler.model.traffic import Traffic
from handler.policy.policy import Policy
from handler.settings import Settings
from tests.support import openers, reports
from tests.support.html_page import Page
from tests.support.security_groups import answer, permission

WORLD = "0.0.0.0/0"
SETTINGS = Settings("audit@example.com", ("security@example.com", "ops@example.com"))
TIMEOUT = 'Connect timeout on endpoint URL: "https://ec2.us-east-1.amazonaws.com/"'
FAILED = Scan(
    Coverage(Target(reports.ACCOUNT, "us-east-1"), CoverageStatus.FAILED, 3, 5, error=TIMEOUT)
)
POLICY = Policy.parse(
    {
        "authorizedPorts": ["tcp/443"],
        "exceptions": [
            {
                "group": "sg-partner",
                "ports": "tcp/8443",
                "reason": "the partner portal, until the VPN is there",
                "owner": "web team",
                "until": "2026-11-30",
            },
            {
                "group": "legacy",
                "ports": "tcp/3389",
                "reason": "support <at home>",
                "owner": "R&D",
                "until": "2026-10-31",
            },
            {
                "group": "sg-gone",
                "ports": "all",
                "source": "8.8.8.0/24",
                "reason": "a test",
                "owner": "nobody",
                "until": "2027-12-31",
                "region": "eu-west-1",
            },
        ],
    }
)


class ReceivedMail:
    """A mail as its recipient's program takes it apart."""

    def __init__(self, raw: bytes) -> None:
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        assert not [part.defects for part in message.walk() if part.defects]
        self.raw = raw
        self.message = message
        self.subject = str(message["Subject"])
        self.text = _content(message, "plain")
        self.html = _content(message, "html")
        self.page = Page(self.html)
        self.attachments = list(message.iter_attachments())

    @property
    def html_bytes(self) -> int:
        """The size of the HTML part as it is sent, with lines that end with CR and LF."""
        return len(self.html.encode()) + self.html.count("\n")

    @property
    def csv_bytes(self) -> bytes:
        """The attached CSV; out of its zip where it has one."""
        (attachment,) = self.attachments
        content = attachment.get_payload(decode=True)
        assert isinstance(content, bytes)
        if attachment.get_content_type() == "text/csv":
            return content
        with ZipFile(BytesIO(content)) as archive:
            (name,) = archive.namelist()
            assert attachment.get_filename() == f"{name}.zip"
            return archive.read(name)

    @property
    def rows(self) -> list[dict[str, str]]:
        """The findings in the attachment, by column."""
        csv.field_size_limit(1 << 30)
        return list(csv.DictReader(StringIO(self.csv_bytes.decode("utf-8-sig"), newline="")))


def receive(
    report: Report, settings: Settings = SETTINGS, kind: DigestKind = DigestKind.FULL
) -> ReceivedMail:
    """The mail on a report, composed as SES is given it and read as its recipient does."""
    return ReceivedMail(compose(settings, report, kind))


def words(text: str) -> int:
    """How many words a text has; signs between them are none."""
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def phrases(value: object) -> Iterator[str]:
    """Every text in a digest."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from phrases(item)


def small() -> Report:
    """A few findings of every kind, exceptions of every kind, and what could not be read."""
    groups = [
        answer(permission("tcp", 22, 22, WORLD, "::/0"), group_id="sg-0ba5710", name="bastion")
        | {"Tags": [{"Key": "Owner", "Value": "platform"}]},
        answer(permission("tcp", 3389, 3389, WORLD), group_id="sg-legacy", name="legacy"),
        answer(permission("tcp", 8443, 8443, WORLD), group_id="sg-partner", name="partner"),
        answer(permission("tcp", 443, 443, WORLD), group_id="sg-shop", name="shop"),
        answer(permission("tcp", 27017, 27017, "0.0.0.0/1"), group_id="sg-low", name="low"),
        answer(permission("tcp", 27017, 27017, "128.0.0.0/1"), group_id="sg-high", name="high"),
        answer(permission("tcp", 5432, 5432, "pl-secret"), group_id="sg-listed", name="<listed>"),
        answer(permission("tcp", 30, 20, WORLD), group_id="sg-odd", name="odd & even"),
        answer(permission("udp", 53, 53, "52.0.0.0/11"), group_id="sg-0d25", name="dns"),
        answer(permission("icmp", 8, -1, WORLD), group_id="sg-ping", name="ping"),
        answer(permission("tcp", 443, 443, "10.0.0.0/8"), group_id="sg-inside", name="inside"),
    ]
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "GroupId": "sg-0ba5710"}
    rules = [
        rule | {"SecurityGroupRuleId": "sgr-0a", "CidrIpv4": WORLD},
        rule | {"SecurityGroupRuleId": "sgr-0b", "CidrIpv6": "::/0"},
    ]
    together = [{"GroupId": "sg-low"}, {"GroupId": "sg-high"}]
    interfaces = [
        {
            "NetworkInterfaceId": "eni-1",
            "Groups": [{"GroupId": "sg-0ba5710"}],
            "Attachment": {"InstanceId": "i-0123456789abcdef0"},
            "Association": {"PublicIp": "52.208.10.11"},
        },
        {"NetworkInterfaceId": "eni-2", "Groups": together, "Description": "mongo 1"},
        {
            "NetworkInterfaceId": "eni-3",
            "Groups": [{"GroupId": "sg-0d25"}],
            "Description": "ELB net/dns/50dc6c495c0c9188",
            "Association": {"PublicIp": "52.208.10.12"},
        },
    ]
    read = reports.read(*groups, SecurityGroupRules=rules, NetworkInterfaces=interfaces)
    return reports.of(read, reports.DENIED, FAILED, policy=POLICY, stack="prod")


def changed() -> Report:
    """What is different from the last run: findings of each status, a target lost, one regained."""
    report = small()
    statuses = (Status.NEW, Status.REOPENED, Status.OPEN, Status.RESOLVED, Status.UNVERIFIED)
    findings = tuple(
        finding._replace(status=status, first_seen="2026-09-01T06:00:00Z", last_seen="2026-11-22")
        for finding, status in zip(report.findings, statuses, strict=False)
    )
    before = Previous(findings[2].id, findings[2].traffic, findings[2].reach, Severity.LOW)
    worse = findings[2]._replace(change=Change.WORSENED, previously=(before,), previously_count=1)
    return replace(
        report,
        findings=(*findings[:2], worse, *findings[3:]),
        changes=Changes(lost=(FAILED.coverage.target,), regained=(reports.IRELAND,)),
        notices=("The last state could not be read: <b>AccessDenied</b>.",),
    )


def one() -> Report:
    """A single finding."""
    return reports.of(reports.read(answer(permission("tcp", 22, 22, WORLD))))


def none() -> Report:
    """Nothing open, everything read."""
    return reports.of(reports.read(answer()))


def failures() -> Report:
    """Nothing could be read."""
    return reports.of(reports.DENIED, FAILED)


def hostile(text: str, number: int = 1) -> Report:
    """That text wherever a text comes from the account or from the config, in so many findings."""
    until = date(2026, 11, 30)
    accepted = tuple(
        PolicyException(group, text, Traffic("tcp", 22, 22), text, text, day, source)
        for group, day, source in (
            (text, until.replace(month=10), None),
            (f"2{text}", until, text),
            (f"3{text}", until.replace(year=2028), None),
        )
    )
    groups = [
        answer(
            permission("tcp", 22, 22, WORLD, f"pl-{text}"),
            permission(text, 1, 2, text),
            group_id=f"{text}{index}",
            name=text,
        )
        | {"VpcId": text, "Tags": [{"Key": "Owner", "Value": text}]}
        for index in range(number)
    ]
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": WORLD}
    rules = [
        rule | {"SecurityGroupRuleId": f"{text}{index}", "GroupId": f"{text}{index}"}
        for index in range(number)
    ]
    interfaces = [
        {
            "NetworkInterfaceId": f"{text}{kind}{index}",
            "Groups": [{"GroupId": f"{text}{index}"}],
            "Description": f"{kind}{text}",
            "Attachment": {"InstanceId": text},
            "Association": {"PublicIp": text},
        }
        for kind in ("", "ELB ", "RDSNetworkInterface")
        for index in range(number)
    ]
    failed = Scan(Coverage(Target(text, text), CoverageStatus.FAILED, error=text))
    read = reports.read(*groups, SecurityGroupRules=rules, NetworkInterfaces=interfaces)
    elsewhere = reports.read(groups[0], target=Target(text, text))
    policy = Policy(exceptions=accepted)
    report = replace(
        reports.of(read, elsewhere, failed, policy=policy, stack=text),
        run=Run(text, Trigger.MANUAL, "2026-11-23T06:00:00Z", "2026-11-23T06:00:07Z", text),
    )
    return openers.opened(report, openers.hostile(text))


def many(number: int, name: str = "group") -> Report:
    """That many findings, a group each, a third of them critical, high and low."""
    ports = (22, 8080, 443)
    groups = [
        answer(
            permission("tcp", ports[index % 3], ports[index % 3], WORLD),
            group_id=f"sg-{index:017x}",
            name=f"{name}-{index}",
        )
        for index in range(number)
    ]
    rules = [
        {
            "SecurityGroupRuleId": f"sgr-{index:017x}",
            "GroupId": f"sg-{index:017x}",
            "IpProtocol": "tcp",
            "FromPort": ports[index % 3],
            "ToPort": ports[index % 3],
            "CidrIpv4": WORLD,
        }
        for index in range(number)
    ]
    return reports.of(reports.read(*groups, SecurityGroupRules=rules))


def _content(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    content = part.get_content().replace("\r\n", "\n")
    assert isinstance(content, str)
    return content
