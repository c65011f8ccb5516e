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
from handler.report.phrases import join_first

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
    if any(row.traffic.contains(traffic) for row in known):
        return known
    return tuple(row for row in RANGES if row.traffic.contains(traffic)) or known


def is_known_range(traffic: Traffic) -> bool:
    """Whether the traffic has the name of a known range."""
    return any(row in RANGES for row in services_in(traffic))


@lru_cache(maxsize=4096)
def service_name(traffic: Traffic) -> str | None:
    """The common name of the traffic, for example SSH; None if it has none.

    The name of a wide range has its worst services and the number of its ports.
    """
    known = services_in(traffic)
    return _label(known, traffic)[0] if known else None


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
        return severity, *_label(worst, traffic)
    if traffic.protocol in ICMP_PROTOCOLS:
        severity, source = OTHER_ICMP
        return severity, f"{traffic.text} traffic", source
    severity, source = OTHER_TRAFFIC
    name = service_name(traffic)
    return severity, f"{name} and other ports" if name else traffic.text, source


def _label(services: Sequence[Service], traffic: Traffic) -> tuple[str, str]:
    """The unique names of the services, as many as a label shows, and the sources of those.

    By port; in a wide range remote administration (CIS) first, then by severity.
    """
    ordered, number, suffix = services, _NAMED_SERVICES, ""
    low, high = traffic.ports
    if traffic.from_port is not None and high - low >= _WIDE_RANGE:
        ordered = sorted(services, key=lambda row: ("CIS" not in row.source, row.severity.rank))
        number = _NAMED_IN_WIDE_RANGE
        suffix = f" on {high - low + 1:,} ports" if len(services) > 1 else ""
    names = list(dict.fromkeys(row.name for row in ordered))
    sources = (row.source.split(", ") for row in services if row.name in names[:number])
    return join_first(names, number) + suffix, ", ".join(dict.fromkeys(chain(*sources)))
