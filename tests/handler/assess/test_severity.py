"""How severe an exposure is, and the sentence that says why."""

import pytest

from handler.assess.severity import UNKNOWN_SHARE, Share, severity_of
from handler.model.attachment import Attachment, Path, path_of
from handler.model.traffic import Traffic

PUBLIC = path_of(Attachment.INTERNET_FACING, "the interface has 8.8.8.8")
PRIVATE = path_of(Attachment.INTERNAL, "the interface has no public IPv4 address")
UNATTACHED = path_of(Attachment.UNATTACHED, "the group is not attached")
NOT_READ = path_of(Attachment.UNKNOWN, "its interfaces could not be read")
WORLD = Share()
PART = Share(1, "only 5.00% of the IPv4 internet gets in")
SSH = Traffic("tcp", 22, 22)
HTTPS = Traffic("tcp", 443, 443)
ECHO = Traffic("icmp", icmp_type=8)


@pytest.mark.parametrize(
    ("traffic", "share", "paths", "severity", "why"),
    [
        pytest.param(
            SSH,
            WORLD,
            [PRIVATE, PUBLIC],
            "critical",
            "Critical: SSH is open to the internet (EC2.19, CIS); the interface has 8.8.8.8.",
            id="worst-interface",
        ),
        pytest.param(
            SSH,
            WORLD,
            [PRIVATE],
            "medium",
            "Medium: SSH would be critical (EC2.19, CIS), but the interface has no public "
            "IPv4 address.",
            id="internal",
        ),
        pytest.param(
            SSH,
            WORLD,
            [UNATTACHED],
            "medium",
            "Medium: SSH would be critical (EC2.19, CIS), but the group is not attached.",
            id="unattached",
        ),
        pytest.param(
            SSH,
            WORLD,
            [NOT_READ],
            "critical",
            "Critical: SSH is open to the internet (EC2.19, CIS); its interfaces could not be "
            "read.",
            id="interfaces-not-read",
        ),
        pytest.param(
            SSH,
            PART,
            [PRIVATE],
            "low",
            "Low: SSH would be critical (EC2.19, CIS), but only 5.00% of the IPv4 internet gets in "
            "and the interface has no public IPv4 address.",
            id="part-and-internal",
        ),
        pytest.param(
            SSH,
            UNKNOWN_SHARE,
            [PUBLIC],
            "critical",
            "Critical: SSH may be open to the internet (EC2.19, CIS); the interface has 8.8.8.8.",
            id="unreadable",
        ),
        pytest.param(
            Traffic("udp", 160, 177),
            WORLD,
            [PUBLIC],
            "critical",
            "Critical: SNMP, XDMCP are open to the internet (scanners, amplification, IANA); the "
            "interface has 8.8.8.8.",
            id="the-worst-services-are-named",
        ),
        pytest.param(
            ECHO,
            WORLD,
            [PUBLIC],
            "info",
            "Info: echo request is ordinary traffic (RFC 792).",
            id="ordinary",
        ),
    ],
)
def test_severity_and_reason(
    traffic: Traffic,
    share: Share,
    paths: list[Path],
    severity: str,
    why: str,
) -> None:
    """The severity is the service's, lowered by breadth and path; the worst path decides."""
    verdict = severity_of(traffic, share, paths)
    assert (verdict.severity, verdict.why) == (severity, why)
