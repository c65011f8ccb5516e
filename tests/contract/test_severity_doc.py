"""docs/severity.md says what the code does: services, thresholds, paths and AWS's lists."""

import re
from pathlib import Path

import pytest

from handler.assess.port_table import (
    ALL_TRAFFIC,
    OTHER_ICMP,
    OTHER_TRAFFIC,
    PROTOCOLS,
    RANGES,
    SERVICES,
    Service,
)
from handler.assess.severity import share_of
from handler.exposure.aws_lists import aws_exposures
from handler.exposure.exposures import exposures
from handler.model.attachment import ATTACHMENTS
from handler.model.finding import Severity
from handler.model.internet import Internets
from handler.model.network import PrefixList, Rule
from handler.model.traffic import ALL_PROTOCOLS, Traffic
from tests.contract.test_documents import rows

CODE = re.compile(r"`([^`]+)`")


@pytest.fixture(scope="module")
def document(project: Path) -> Path:
    """The document."""
    return project / "docs" / "severity.md"


def service_rows() -> list[list[str]]:
    """Severity, service, traffic and source of the port table, the worst first.

    Ports of one service with the same source are in one row.
    """
    grouped: dict[tuple[Severity, str, str], list[Service]] = {}
    for service in (*SERVICES, *RANGES, *PROTOCOLS):
        key = service.severity, service.name, service.source
        grouped.setdefault(key, []).append(service)
    return [
        [severity, name, ", ".join(f"`{row.traffic.text}`" for row in services), source]
        for (severity, name, source), services in sorted(
            grouped.items(), key=lambda item: item[0][0].rank
        )
    ]


def test_services() -> None:
    """Every row of the port table is listed with its severity and source."""
    assert rows("severity") == service_rows()


def test_traffic_without_a_row() -> None:
    """All traffic, and what no row of the port table names, has its severity and source."""
    expected = [ALL_TRAFFIC, OTHER_TRAFFIC, OTHER_ICMP]
    found = [(row[1], row[2]) for row in rows("other traffic")]
    assert found == [(severity, source) for severity, source in expected]


def severity_for(cidr: str) -> Severity:
    """The severity of something critical that only a CIDR gets to."""
    rule = Rule("sg-1", Traffic("tcp", 22, 22), cidr)
    (exposure,) = exposures([rule], {}, Internets())
    return Severity.CRITICAL.lowered(share_of(exposure).steps)


def test_thresholds() -> None:
    """The largest and the smallest CIDRs in a row, of both families, have its steps."""
    expected = {"0": "critical", "1": "high", "2": "medium", "to info": "info"}
    table = rows("let in")
    assert [row[1] for row in table] == list(expected)
    for _, steps, examples in table:
        cidrs = CODE.findall(examples)
        assert {":" in cidr for cidr in cidrs} == {True, False}
        assert {severity_for(cidr) for cidr in cidrs} == {expected[steps]}


def test_paths() -> None:
    """Every attachment has its row, the shortest path first, with its steps."""
    table = rows("attachment")
    assert [(row[0], int(row[2].split()[0])) for row in table] == [
        (f"`{attachment}`", effect.steps) for attachment, effect in ATTACHMENTS.items()
    ]


def test_aws_lists() -> None:
    """The prefix lists of AWS's own that let strangers in are those that the code knows."""
    for names, _, effect in rows("AWS-managed prefix list"):
        for name in CODE.findall(names):
            prefix_list = PrefixList("pl-1", aws_name=name.replace("REGION", "eu-west-1"))
            opened = list(aws_exposures(Rule("sg-1", Traffic(ALL_PROTOCOLS), "pl-1"), prefix_list))
            assert bool(opened) == (effect != "opens nothing"), name
