"""The well-known services behind ports, by name, and how bad it is when the world reaches them."""

from handler.model import ALL, ICMP, Severity, Traffic
from handler.policy import SERVICES, Service

# Errors that path-MTU discovery and IPv6 (RFC 4890, section 4.3.1) need, and echo requests.
_ORDINARY_ICMP = frozenset(
    {("icmp", 8), ("icmpv6", 1), ("icmpv6", 2), ("icmpv6", 3), ("icmpv6", 4), ("icmpv6", 128)}
)
_FRAGMENTATION_NEEDED = Traffic("icmp", icmp_type=3, icmp_code=4)
_ECHO = {("icmp", 8), ("icmpv6", 128)}


def on(traffic: Traffic) -> tuple[Service, ...]:
    """The known services on any of the ports, by port; none for traffic without ports."""
    low, high = traffic.from_port, traffic.to_port
    if low is None or high is None:
        return ()
    return tuple(
        service
        for service in SERVICES
        if service.protocol == traffic.protocol
        and service.from_port <= high
        and service.to_port >= low
    )


def name(traffic: Traffic) -> str | None:
    """What people call the traffic, for example SSH; None when it has no name."""
    if (traffic.protocol, traffic.icmp_type) in _ECHO:
        return "echo request"
    most = 4
    names = list(dict.fromkeys(service.name for service in on(traffic)))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more or None


def severity_for_world(traffic: Traffic) -> tuple[Severity, str]:
    """How bad it is when all of the internet reaches the traffic, and who says so."""
    if traffic.protocol == ALL:
        return Severity.CRITICAL, "EC2.19, CIS"
    if traffic.protocol in ICMP:
        return _icmp(traffic)
    known = on(traffic)
    if known and _fill(known, traffic) and all(each.severity is Severity.LOW for each in known):
        return Severity.LOW, "EC2.18"
    named = [each for each in known if each.severity is not Severity.LOW]
    worst = min(named, key=lambda service: service.severity.rank, default=None)
    # Of a port that nobody names: EC2.18 allows the world none but 80 and 443.
    return (worst.severity, worst.source) if worst else (Severity.HIGH, "EC2.18")


def _icmp(traffic: Traffic) -> tuple[Severity, str]:
    if traffic == _FRAGMENTATION_NEEDED:
        return Severity.INFO, "RFC 1191"
    if (traffic.protocol, traffic.icmp_type) in _ORDINARY_ICMP:
        return Severity.INFO, "RFC 4890" if traffic.protocol == "icmpv6" else "RFC 792"
    return Severity.MEDIUM, "EC2.18"


def _fill(known: tuple[Service, ...], traffic: Traffic) -> bool:
    """Whether the known services fill the ports of the traffic."""
    low, high = traffic.ports
    return sum(each.to_port - each.from_port + 1 for each in known) == high - low + 1
