"""Reports for tests, made of findings that a scan would give."""

from typing import Any

from handler.address import Internets
from handler.audit import report
from handler.exposure import exposures
from handler.findings import findings
from handler.model import Coverage, CoverageStatus, Report, Run, Scan, Target, Trigger
from handler.parse import security_group
from handler.policy import Policy

ACCOUNT = "123456789012"
IRELAND = Target(ACCOUNT, "eu-west-1")
FRANKFURT = Target(ACCOUNT, "eu-central-1")
DENIED = Scan(Coverage(FRANKFURT, CoverageStatus.DENIED, error="UnauthorizedOperation: <b>No</b>."))


def read(*groups: dict[str, Any], target: Target = IRELAND) -> Scan:
    """The scan of a region with these groups; the id of a rule is that of its group and source."""
    parsed = [security_group(each) for each in groups]
    found = [
        finding
        for group in parsed
        for finding in findings(
            target,
            group,
            exposures(group.rules, {}, Internets()),
            {},
            {rule: f"sgr-{rule.source}" for rule in group.rules},
            Policy(),
        )
    ]
    rules = sum(len(group.rules) for group in parsed)
    return Scan(Coverage(target, CoverageStatus.OK, len(parsed), rules), tuple(found))


def of(*scans: Scan, trigger: Trigger = Trigger.SCHEDULE, stack: str | None = "dev") -> Report:
    """The report of a run with these scans."""
    run = Run("run-1", trigger, "2026-11-23T06:00:00Z", "2026-11-23T06:00:07Z", stack)
    return report(run, scans)
