"""What is behind traffic by name, and how bad it is when the world reaches it: policy's table."""

from handler.model import ALL, ICMP, Severity, Traffic
from handler.policy import (
    ALL_TRAFFIC,
    MESSAGES,
    OTHER_MESSAGES,
    OTHER_TRAFFIC,
    SERVICES,
    Message,
    Service,
)


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
    if message := _message(traffic):
        return message.name
    most = 4
    names = list(dict.fromkeys(service.name for service in on(traffic)))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more or None


def severity_for_world(traffic: Traffic) -> tuple[Severity, str]:
    """How bad it is when all of the internet reaches the traffic, and who says so."""
    if traffic.protocol == ALL:
        return ALL_TRAFFIC
    if traffic.protocol in ICMP:
        message = _message(traffic)
        return (Severity.INFO, message.source) if message else OTHER_MESSAGES
    known = on(traffic)
    if known and _fill(known, traffic) and all(each.severity is Severity.LOW for each in known):
        return Severity.LOW, known[0].source
    named = [each for each in known if each.severity is not Severity.LOW]
    worst = min(named, key=lambda service: service.severity.rank, default=None)
    return (worst.severity, worst.source) if worst else OTHER_TRAFFIC


def _message(traffic: Traffic) -> Message | None:
    """The icmp message, where all of the traffic is that one."""
    return next((each for each in MESSAGES if each.traffic.contains(traffic)), None)


def _fill(known: tuple[Service, ...], traffic: Traffic) -> bool:
    """Whether the known services fill the ports of the traffic."""
    low, high = traffic.ports
    return sum(each.to_port - each.from_port + 1 for each in known) == high - low + 1
