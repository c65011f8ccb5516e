"""The services in some traffic: their names, the worst severity, and its source."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from operator import attrgetter

from handler.assess.port_table import (
    ALL_TRAFFIC,
    OTHER_ICMP,
    OTHER_TRAFFIC,
    PROTOCOLS,
    RANGES,
    SERVICES,
    Service,
)
from handler.model.finding import Severity
from handler.model.traffic import ALL_PROTOCOLS, ICMP_PROTOCOLS, Traffic, cover
from handler.sanitize import join_first

_NAMED_SERVICES = 4
# In a range of more ports, the known services are only a few among many ports.
_WIDE_RANGE = 64
_NAMED_IN_WIDE_RANGE = 2


# Thousands of findings share a few ports.
@lru_cache(maxsize=4096)
def services_in(traffic: Traffic) -> tuple[Service, ...]:
    """The known services in the traffic, by port, or the known range that contains it."""
    if traffic.from_port is None:
        rows = (row for row in PROTOCOLS if row.traffic.contains(traffic))
        return tuple(rows)[:1]
    known = tuple(row for row in SERVICES if row.traffic.intersection(traffic))
    if not any(row.traffic.contains(traffic) for row in known):
        ranges = tuple(row for row in RANGES if row.traffic.contains(traffic))
        return ranges or known
    return known


def is_known_range(traffic: Traffic) -> bool:
    """Whether the traffic has the name of a known range."""
    return any(row in RANGES for row in services_in(traffic))


@lru_cache(maxsize=4096)
def service_name(traffic: Traffic) -> str | None:
    """The common name of the traffic, for example SSH; None if it has none.

    The name of a wide range has its worst services and the number of its ports.
    """
    known = services_in(traffic)
    return _label(known, traffic) if known else None


@lru_cache(maxsize=4096)
def worst_service(traffic: Traffic) -> tuple[Severity, str, str]:
    """The severity when the whole internet reaches the traffic, its worst part, and the source."""
    if traffic.protocol == ALL_PROTOCOLS:
        severity, source = ALL_TRAFFIC
        return severity, "all traffic", source
    known = services_in(traffic)
    severity = min((row.severity for row in known), key=attrgetter("rank"), default=Severity.INFO)
    is_all_known = cover((row.traffic for row in known), traffic)
    if known and (is_all_known or severity.is_at_least(OTHER_TRAFFIC[0])):
        worst = [row for row in known if row.severity is severity]
        return severity, _label(worst, traffic), _sources(worst, traffic)
    if traffic.protocol in ICMP_PROTOCOLS:
        severity, source = OTHER_ICMP
        return severity, f"{traffic.text} traffic", source
    severity, source = OTHER_TRAFFIC
    return severity, f"{_label(known, traffic)} and other ports" if known else traffic.text, source


def _names(services: Sequence[Service], traffic: Traffic) -> tuple[list[str], int]:
    """The unique names of the services, and how many of them a label shows.

    By port; in a wide range remote administration (CIS) first, then by severity.
    """
    number = _NAMED_SERVICES
    if _is_wide(traffic):
        services = sorted(services, key=lambda row: ("CIS" not in row.source, row.severity.rank))
        number = _NAMED_IN_WIDE_RANGE
    return list(dict.fromkeys(row.name for row in services)), number


def _label(services: Sequence[Service], traffic: Traffic) -> str:
    names, number = _names(services, traffic)
    low, high = traffic.ports
    is_counted = _is_wide(traffic) and len(services) > 1
    return join_first(names, number) + (f" on {high - low + 1:,} ports" if is_counted else "")


def _sources(services: Sequence[Service], traffic: Traffic) -> str:
    """The unique sources of the services in the label."""
    names, number = _names(services, traffic)
    sources = (row.source.split(", ") for row in services if row.name in names[:number])
    return ", ".join(dict.fromkeys(chain.from_iterable(sources)))


def _is_wide(traffic: Traffic) -> bool:
    low, high = traffic.ports
    return traffic.from_port is not None and high - low >= _WIDE_RANGE
