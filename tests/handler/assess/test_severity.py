"""How severe an exposure is, and the sentence that says why."""

import pytest

from handler.assess.severity import attachment_of, severity_of
from handler.model.attachment import Attachment
from handler.model.finding import Severity
from handler.model.network import Holder, NetworkInterface, Reach
from handler.model.traffic import Traffic

PUBLIC = NetworkInterface("eni-1", ("sg-1",), ("8.8.8.8",), Holder.INSTANCE, "i-1")
PRIVATE = NetworkInterface("eni-2", ("sg-1",), (), Holder.INSTANCE, "i-2")
BALANCER = NetworkInterface("eni-3", ("sg-1",), ("8.8.8.8",), Holder.LOAD_BALANCER, "app/shop/1")
DATABASE = NetworkInterface(
    "eni-4", ("sg-1",), ("8.8.8.8",), Holder.DATABASE, "RDSNetworkInterface"
)
PRIVATE_DATABASE = NetworkInterface("eni-5", ("sg-1",), (), Holder.DATABASE, "RDSNetworkInterface")
SSH = Traffic("tcp", 22, 22)
HTTPS = Traffic("tcp", 443, 443)
ECHO = Traffic("icmp", icmp_type=8)


@pytest.mark.parametrize(
    ("traffic", "reach", "interfaces", "severity", "why"),
    [
        pytest.param(
            SSH,
            Reach.WORLD,
            [PRIVATE, PUBLIC],
            "critical",
            "SSH open to the world is critical (EC2.19, CIS); a public address is attached.",
            id="internet-facing",
        ),
        pytest.param(
            SSH,
            Reach.WORLD,
            [PRIVATE],
            "high",
            "SSH open to the world is critical (EC2.19, CIS); one step lower because only private "
            "addresses are attached.",
            id="internal",
        ),
        pytest.param(
            SSH,
            Reach.WORLD,
            [],
            "medium",
            "SSH open to the world is critical (EC2.19, CIS); two steps lower because nothing is "
            "attached.",
            id="unattached",
        ),
        pytest.param(
            SSH,
            Reach.WORLD,
            None,
            "critical",
            "SSH open to the world is critical (EC2.19, CIS); what is attached is not known.",
            id="interfaces-not-read",
        ),
        pytest.param(
            SSH,
            Reach.WIDE,
            [PRIVATE],
            "medium",
            "SSH open to the world is critical (EC2.19, CIS); one step lower because only a "
            "part of it gets in; one step lower because only private addresses are attached.",
            id="wide-and-internal",
        ),
        pytest.param(
            SSH,
            Reach.PUBLIC,
            [PUBLIC],
            "info",
            "Less than 0.03 % of the internet is let in, which is info.",
            id="public",
        ),
        pytest.param(
            SSH,
            Reach.UNKNOWN,
            [PUBLIC],
            "critical",
            "SSH open to the world is critical (EC2.19, CIS); how much of it gets in is not known; "
            "a public address is attached.",
            id="unreadable",
        ),
        pytest.param(
            HTTPS,
            Reach.WORLD,
            [BALANCER],
            "low",
            "HTTPS open to the world is low (EC2.18); a public address is attached.",
            id="load-balancer",
        ),
        pytest.param(
            HTTPS,
            Reach.WORLD,
            [BALANCER, DATABASE],
            "high",
            "HTTPS open to the world is low (EC2.18); high because a database is attached; "
            "it has a public address.",
            id="database",
        ),
        pytest.param(
            HTTPS,
            Reach.WORLD,
            [PRIVATE_DATABASE],
            "medium",
            "HTTPS open to the world is low (EC2.18); high because a database is attached; "
            "one step lower because it has only private addresses.",
            id="private-database",
        ),
        pytest.param(
            HTTPS,
            Reach.WORLD,
            [BALANCER, PRIVATE_DATABASE],
            "medium",
            "HTTPS open to the world is low (EC2.18); high because a database is attached; "
            "one step lower because it has only private addresses.",
            id="public-load-balancer-and-private-database",
        ),
        pytest.param(
            SSH,
            Reach.WORLD,
            [BALANCER, PRIVATE_DATABASE],
            "critical",
            "SSH open to the world is critical (EC2.19, CIS); a public address is attached.",
            id="a-database-makes-only-web-traffic-worse",
        ),
        pytest.param(
            Traffic("udp", 17, 177),
            Reach.WORLD,
            [PUBLIC],
            "critical",
            "SNMP, XDMCP open to the world is critical (scanners, amplification, IANA); a public "
            "address is attached.",
            id="what-is-worst-is-named",
        ),
        pytest.param(
            Traffic("tcp", 20, 111),
            Reach.WORLD,
            [PUBLIC],
            "critical",
            "FTP data, FTP, SSH, Telnet and 4 more open to the world is critical (EC2.19, CIS); "
            "a public address is attached.",
            id="sources-of-what-is-named",
        ),
        pytest.param(
            HTTPS,
            Reach.WORLD,
            [],
            "info",
            "HTTPS open to the world is low (EC2.18); one step lower because nothing is attached.",
            id="never-gone",
        ),
        pytest.param(
            ECHO,
            Reach.WIDE,
            [],
            "info",
            "Echo request open to the world is info (RFC 792); only a part of it gets in; "
            "nothing is attached.",
            id="lower-than-info",
        ),
        pytest.param(
            Traffic("all"),
            Reach.WORLD,
            [PUBLIC],
            "critical",
            "All traffic open to the world is critical (EC2.19, CIS); a public address is "
            "attached.",
            id="all",
        ),
        pytest.param(
            Traffic("tcp", 80, 81),
            Reach.WORLD,
            [PUBLIC],
            "high",
            "HTTP and other ports open to the world is high (EC2.18); a public address is "
            "attached.",
            id="web-and-another-port",
        ),
        pytest.param(
            Traffic("tcp", 9, 9),
            Reach.WORLD,
            [PUBLIC],
            "high",
            "Other tcp traffic open to the world is high (EC2.18); a public address is attached.",
            id="other-port",
        ),
        pytest.param(
            Traffic("icmp"),
            Reach.WORLD,
            [PUBLIC],
            "medium",
            "All icmp traffic open to the world is medium (EC2.18); a public address is attached.",
            id="all-icmp",
        ),
        pytest.param(
            Traffic("icmp", icmp_type=3, icmp_code=4),
            Reach.WORLD,
            [PUBLIC],
            "info",
            "Fragmentation needed open to the world is info (RFC 1191); a public address is "
            "attached.",
            id="fragmentation-needed",
        ),
        pytest.param(
            Traffic("47"),
            Reach.WORLD,
            [PUBLIC],
            "high",
            "Other protocol 47 traffic open to the world is high (EC2.18); a public address is "
            "attached.",
            id="protocol-without-ports",
        ),
    ],
)
def test_the_severity_and_why(
    traffic: Traffic,
    reach: Reach,
    interfaces: list[NetworkInterface] | None,
    severity: str,
    why: str,
) -> None:
    """What is open, to how many, and what is attached decide, and one sentence says so."""
    assert severity_of(traffic, reach, interfaces) == (Severity(severity), why)


@pytest.mark.parametrize(
    ("interfaces", "expected"),
    [
        (None, Attachment.UNKNOWN),
        ([], Attachment.UNATTACHED),
        ([PRIVATE], Attachment.INTERNAL),
        ([PRIVATE, PUBLIC], Attachment.INTERNET_FACING),
    ],
)
def test_the_most_public_interface_decides(
    interfaces: list[NetworkInterface] | None, expected: Attachment
) -> None:
    """One public address among many private ones makes a group face the internet."""
    assert attachment_of(interfaces) is expected
