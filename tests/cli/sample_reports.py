"""The reports that the tests of all formats write, and how to write one."""

from dataclasses import replace
from datetime import date
from io import StringIO

from cli.formats import FORMATS
from handler.model.audit_report import Report
from handler.model.finding import Change, Previous, Severity
from handler.model.network import Target
from handler.model.reach import Reach
from handler.model.run import Coverage, CoverageStatus, Scan
from handler.policy.policy import Policy
from tests.support.openers import hostile, opened
from tests.support.reports import ACCOUNT, DENIED, FRANKFURT, IRELAND, of, read
from tests.support.security_groups import answer, permission

WORLD, WORLD6 = "0.0.0.0/0", "::/0"
SSH_GROUP = answer(permission("tcp", 22, 22, WORLD))
POLICY_WITH_EXCEPTION = Policy.parse(
    {
        "exceptions": [
            {
                "group": "sg-1",
                "ports": "tcp/22",
                "reason": "until the VPN is there",
                "owner": "web team",
                "until": "2026-12-31",
            }
        ]
    },
    date(2026, 11, 23),
)
# Control characters, markup and formulas that a terminal, rich, Markdown, GitHub, HTML, a
# spreadsheet, SARIF or Security Hub would interpret.
HOSTILE_TEXTS = (
    "\x1b[31mred\x1b[0m\x07",
    "[red]x[/red] [link=http://evil.example]x[/link] :smile:",
    "[/]",
    "\u202egnp.exe\u2066",
    "a\r\nb\n\n| c | d |\n# e",
    "a|b\\|c\\\\|d\\",
    "`a` ``b`` ```",
    "<script>alert(1)</script><!-- -->&lt;b&gt;",
    "![x](http://evil.example/x.png) [x](http://evil.example)",
    "@octocat #1 https://evil.example www.evil.example octo@evil.example",
    "=cmd|' /C calc'!A0",
    "**x** _y_ ~~z~~ {0} {{1}}",
    " a ",
    "   ",
    "../..",
    "x" * 250,
    "\N{CJK UNIFIED IDEOGRAPH-5B89}\N{GRINNING FACE}\N{COMBINING ACUTE ACCENT}",
)


def hostile_report(text: str) -> Report:
    """A report with the text in each field that comes from an account or a snapshot."""
    group = answer(
        permission("tcp", 22, 22, WORLD), permission("tcp", 23, 23, "pl-1"), group_id="sg-1"
    )
    malformed = answer(permission(text, 1, 1, WORLD, text), group_id=f"sg-{text}", name=text)
    interface = {
        "NetworkInterfaceId": f"eni-{text}",
        "Description": text,
        "Groups": [{"GroupId": "sg-1"}, {"GroupId": f"sg-{text}"}],
        "Association": {"PublicIp": text},
    }
    fields = {"GroupName": text, "VpcId": text, "Tags": [{"Key": "Owner", "Value": text}]}
    scan = read(group | fields, malformed | fields, NetworkInterfaces=[interface])
    # AWS's error for a prefix list that cannot be read goes into the detail.
    unreadable = (REPORTS["unreadable-list"].findings[0])._replace(detail=text)
    unread = Coverage(Target(ACCOUNT, "eu-north-1"), CoverageStatus.FAILED, error=text)
    report = of(scan, Scan(unread, (unreadable,)), policy=POLICY_WITH_EXCEPTION, stack=None)
    return opened(report, hostile(text))


def joint_report() -> Report:
    """Two groups on one interface, each of which opens SSH to half of the internet."""
    low = answer(permission("tcp", 22, 22, "0.0.0.0/1"), group_id="sg-1", name="low")
    high = answer(permission("tcp", 22, 22, "128.0.0.0/1"), group_id="sg-2", name="high")
    interface = {
        "NetworkInterfaceId": "eni-1",
        "Groups": [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}],
        "Association": {"PublicIp": "52.208.10.14"},
    }
    return of(read(low, high, NetworkInterfaces=[interface]))


def widened_report() -> Report:
    """SSH, which a smaller part of the internet could reach before."""
    report = of(read(SSH_GROUP))
    (finding,) = report.findings
    before = Previous(finding.id, finding.traffic, Reach.WIDE, Severity.HIGH, 256, ("8.8.8.0/24",))
    changed = finding._replace(change=Change.WIDENED, previously=(before,), previously_count=1)
    return replace(report, findings=(changed,))


def longest_report() -> Report:
    """A group with 365 sources, long texts and 100 interfaces, and a region with a long error."""
    networks = [f"{2 * number}.0.0.0/8" for number in range(1, 110)]
    group = answer(
        permission("tcp", 22, 22, *networks, *(f"9.{number}.0.0/16" for number in range(256))),
        permission("x" * 255, 1, 1, WORLD),
        group_id="sg-0123456789abcdef0",
        name="n" * 255,
    )
    interfaces = [
        {
            "NetworkInterfaceId": f"eni-{number:017x}",
            "Description": "d" * 255,
            "Groups": [{"GroupId": "sg-0123456789abcdef0"}],
        }
        for number in range(100)
    ]
    tags = [{"Key": "Owner", "Value": "o" * 255}]
    unread = Coverage(FRANKFURT, CoverageStatus.FAILED, error="e" * 5000)
    return of(read(group | {"Tags": tags}, NetworkInterfaces=interfaces), Scan(unread))


REPORTS = {
    "clean": of(read()),
    "one": of(read(SSH_GROUP)),
    "region-failed": of(read(), DENIED),
    "excepted": of(read(SSH_GROUP), policy=POLICY_WITH_EXCEPTION),
    "unreadable-list": of(read(answer(permission("tcp", 22, 22, "pl-1")))),
    "ipv6": of(read(answer(permission("tcp", 22, 22, WORLD6)))),
    "icmp": of(read(answer(permission("icmp", 8, -1, WORLD), permission("icmp", -1, -1, WORLD)))),
    "all-traffic": of(read(answer(permission("-1", None, None, WORLD)))),
    "malformed": of(read(answer(permission("tcp", 9, 1, WORLD)))),
    "joint": joint_report(),
    "widened": widened_report(),
    "china": of(read(SSH_GROUP, target=Target(ACCOUNT, "cn-north-1"))),
    "many": of(
        read(
            *(
                answer(permission("tcp", 22, 22, WORLD), group_id=f"sg-{number:017x}")
                for number in range(2000)
            )
        )
    ),
    "long": longest_report(),
}
REPORTS |= {f"hostile-{number}": hostile_report(text) for number, text in enumerate(HOSTILE_TEXTS)}


def render(format_name: str, report: Report) -> str:
    """The report in a format, as it is written into a file."""
    stream = StringIO(newline="")
    FORMATS[format_name](report, stream)
    return stream.getvalue()


def ssh_report(region: str) -> Report:
    """A report of SSH that is open to the internet in the region."""
    return of(read(SSH_GROUP, target=Target(IRELAND.account, region)))
