"""Reports of every kind, and how each form writes them."""

from dataclasses import replace
from datetime import date
from io import StringIO
from typing import Any

from cli.formats import FORMATS
from handler.model.network import Target
from handler.model.run import Coverage, CoverageStatus, Report, Scan
from handler.policy.policy import Policy
from tests.support.reports import ACCOUNT, DENIED, FRANKFURT, IRELAND, of, read
from tests.support.security_groups import answer, permission

WORLD, WORLD6 = "0.0.0.0/0", "::/0"
SSH = answer(permission("tcp", 22, 22, WORLD))
ACCEPTING = Policy.parse(
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
# What terminals, rich, Markdown, GitHub, HTML, spreadsheets, SARIF and Security Hub would obey.
HOSTILE = (
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


def hostile(text: str) -> Report:
    """A report with that text in all that comes from an account or a snapshot."""
    group = answer(
        permission("tcp", 22, 22, WORLD), permission("tcp", 23, 23, "pl-1"), group_id="sg-1"
    )
    nonsense = answer(permission(text, 1, 1, WORLD, text), group_id=f"sg-{text}", name=text)
    attached = {
        "NetworkInterfaceId": f"eni-{text}",
        "Description": text,
        "Groups": [{"GroupId": "sg-1"}, {"GroupId": f"sg-{text}"}],
        "Association": {"PublicIp": text},
    }
    named = {"GroupName": text, "VpcId": text, "Tags": [{"Key": "Owner", "Value": text}]}
    scanned = read(group | named, nonsense | named, NetworkInterfaces=[attached])
    # What AWS says of a prefix list that it refuses goes into the detail.
    refused = replace(REPORTS["unreadable-list"].findings[0], detail=text)
    lost = Coverage(Target(ACCOUNT, "eu-north-1"), CoverageStatus.FAILED, error=text)
    return of(scanned, Scan(lost, (refused,)), policy=ACCEPTING, stack=None)


def interface() -> dict[str, Any]:
    """An interface with two groups."""
    groups = [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]
    address = {"PublicIp": "52.208.10.14"}
    return {"NetworkInterfaceId": "eni-1", "Groups": groups, "Association": address}


def halves() -> tuple[dict[str, Any], dict[str, Any]]:
    """Two groups that open SSH to the world only together."""
    low = answer(permission("tcp", 22, 22, "0.0.0.0/1"), group_id="sg-1", name="low")
    high = answer(permission("tcp", 22, 22, "128.0.0.0/1"), group_id="sg-2", name="high")
    return low, high


def long() -> Report:
    """A group with as much as there can be to say of it, and a region with a long error."""
    halves = [f"{2 * number}.0.0.0/8" for number in range(1, 110)]
    group = answer(
        permission("tcp", 22, 22, *halves, *(f"9.{number}.0.0/16" for number in range(256))),
        permission("x" * 255, 1, 1, WORLD),
        group_id="sg-0123456789abcdef0",
        name="n" * 255,
    )
    attached = [
        {
            "NetworkInterfaceId": f"eni-{number:017x}",
            "Description": "d" * 255,
            "Groups": [{"GroupId": "sg-0123456789abcdef0"}],
        }
        for number in range(100)
    ]
    tags = [{"Key": "Owner", "Value": "o" * 255}]
    lost = Coverage(FRANKFURT, CoverageStatus.FAILED, error="e" * 5000)
    return of(read(group | {"Tags": tags}, NetworkInterfaces=attached), Scan(lost))


REPORTS = {
    "clean": of(read()),
    "one": of(read(SSH)),
    "region-failed": of(read(), DENIED),
    "excepted": of(read(SSH), policy=ACCEPTING),
    "unreadable-list": of(read(answer(permission("tcp", 22, 22, "pl-1")))),
    "ipv6": of(read(answer(permission("tcp", 22, 22, WORLD6)))),
    "icmp": of(read(answer(permission("icmp", 8, -1, WORLD), permission("icmp", -1, -1, WORLD)))),
    "all-traffic": of(read(answer(permission("-1", None, None, WORLD)))),
    "malformed": of(read(answer(permission("tcp", 9, 1, WORLD)))),
    "together": of(read(*halves(), NetworkInterfaces=[interface()])),
    "china": of(read(SSH, target=Target(ACCOUNT, "cn-north-1"))),
    "many": of(
        read(
            *(
                answer(permission("tcp", 22, 22, WORLD), group_id=f"sg-{number:017x}")
                for number in range(2000)
            )
        )
    ),
    "long": long(),
}
REPORTS |= {f"hostile-{number}": hostile(text) for number, text in enumerate(HOSTILE)}


def written(form: str, report: Report) -> str:
    """What a form writes into a file."""
    stream = StringIO(newline="")
    FORMATS[form](report, stream)
    return stream.getvalue()


def everywhere(region: str) -> Report:
    """SSH open to the world in that region."""
    return of(read(SSH, target=Target(IRELAND.account, region)))
