"""What is behind traffic by name, and how bad it is when the world reaches it: policy's table."""

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter

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

_MOST_NAMES = 4


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
    return _named(on(traffic)) or None


def for_world(traffic: Traffic) -> tuple[Severity, str, str]:
    """How bad it is when all of the internet reaches the traffic, what of it is, and who says so.

    The worst service decides.
    """
    if traffic.protocol == ALL:
        severity, source = ALL_TRAFFIC
        return severity, "all traffic", source
    if message := _message(traffic):
        return Severity.INFO, message.name, message.source
    if traffic.protocol in ICMP:
        severity, source = OTHER_MESSAGES
        which = "all" if traffic.icmp_type is None else "other"
        return severity, f"{which} {traffic.protocol} traffic", source
    known = on(traffic)
    severity = min((each.severity for each in known), key=attrgetter("rank"), default=Severity.LOW)
    worst = [each for each in known if each.severity is severity]
    if severity is not Severity.LOW or (known and _fill(known, traffic)):
        return severity, _named(worst), _sources(worst)
    severity, source = OTHER_TRAFFIC
    number = "protocol " if traffic.protocol.isdecimal() else ""
    other = f"other {number}{traffic.protocol} traffic"
    return severity, f"{_named(known)} and other ports" if known else other, source


def _names(services: Iterable[Service]) -> list[str]:
    return list(dict.fromkeys(service.name for service in services))


def _named(services: Iterable[Service]) -> str:
    """The first few names, each once."""
    names = _names(services)
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _sources(services: Sequence[Service]) -> str:
    """Who says so of those that are named, each once."""
    named = _names(services)[:_MOST_NAMES]
    sources = (each.source.split(", ") for each in services if each.name in named)
    return ", ".join(dict.fromkeys(chain.from_iterable(sources)))


def _message(traffic: Traffic) -> Message | None:
    """The icmp message, where all of the traffic is that one."""
    return next((each for each in MESSAGES if each.traffic.contains(traffic)), None)


def _fill(known: tuple[Service, ...], traffic: Traffic) -> bool:
    """Whether the known services fill the ports of the traffic."""
    low, high = traffic.ports
    return sum(each.to_port - each.from_port + 1 for each in known) == high - low + 1
