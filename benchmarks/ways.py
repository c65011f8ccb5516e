"""What is measured: the straightforward way, the audit, and parts of the audit."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3

from benchmarks import largest, ledger
from handler import audit, mail
from handler.aws import Clients
from handler.ec2.region import Ec2Region
from handler.exposure.exposures import exposures
from handler.model.internet import Internets
from handler.model.network import Target
from handler.model.run import Run, Trigger
from handler.policy.policy import Policy
from handler.report.json_report import report_to_json
from handler.scan import scan_target
from handler.settings import Settings

_SENDER = "audit@example.com"
_REGION = "eu-west-1"
_TARGET = Target("111122223333", _REGION)
_RUN = Run("run", Trigger.MANUAL, "2030-01-01T00:00:00Z", "2030-01-01T00:00:01Z")

Call = Callable[[], int]
"""The measured part of a way, without imports, clients and data; it counts what it did."""


def straightforward() -> Call:
    """The way that tutorials take: all groups, a comparison of texts, and a mail for each hit."""
    groups: Any = boto3.resource("ec2", _REGION).security_groups
    ses: Any = boto3.client("ses", _REGION)

    def call() -> int:
        mails = 0
        for group in groups.all():
            for permission in group.ip_permissions:
                sources = [cidr["CidrIp"] for cidr in permission["IpRanges"]]
                sources += [cidr["CidrIpv6"] for cidr in permission["Ipv6Ranges"]]
                for source in sources:
                    if source in {"0.0.0.0/0", "::/0"}:
                        ses.send_email(
                            Source=_SENDER,
                            Destination={"ToAddresses": [_SENDER]},
                            Message={
                                "Subject": {"Data": f"{group.group_id} is open"},
                                "Body": {"Text": {"Data": f"{group.group_name}: {permission}"}},
                            },
                        )
                        mails += 1
        return mails

    return call


def product() -> Call:
    """The audit of one region, from the first question to the one mail."""
    settings, policy, clients = Settings(_SENDER, (_SENDER,)), Policy(), Clients()
    for service, region in (("sts", None), ("ec2", _REGION), ("sesv2", None)):
        clients.get(service, region)

    def call() -> int:
        report = audit.build_report(_RUN, audit.scan_targets(clients, (_REGION,), policy), policy)
        if not report.is_complete:
            message = f"the audit must be complete, got {report.coverage}."
            raise RuntimeError(message)
        mail.send(clients.get("sesv2"), settings, mail.compose(settings, report))
        return len(report.findings)

    return call


def evaluation() -> Call:
    """The evaluation alone, of groups that were read beforehand."""
    region = Ec2Region(Clients().get("ec2", _REGION))
    groups = list(region.security_groups())
    list_ids = {rule.source for group in groups for rule in group.rules if rule.is_prefix_list}
    lists = region.prefix_lists(sorted(list_ids))

    def call() -> int:
        internets = Internets()
        return sum(len(exposures(group.rules, lists, internets)) for group in groups)

    return call


def largest_group(rules: int) -> Call:
    """The evaluation of a group with that many rules, and its report as JSON."""
    return _json_report(largest.ordinary(rules))


def hostile_group(rules: int) -> Call:
    """The evaluation of that many rules that overlap as much as rules can."""
    group = next(largest.hostile(rules).security_groups())
    return lambda: len(exposures(group.rules, {}, Internets()))


def hostile_report(rules: int) -> Call:
    """The same with its report: of 1,000 rules, 2,000 findings of 15 sources each."""
    return _json_report(largest.hostile(rules))


def _json_report(source: largest.Region) -> Call:
    policy = Policy()
    return lambda: len(
        json.dumps(
            report_to_json(audit.build_report(_RUN, [scan_target(_TARGET, source, policy)], policy))
        )
    )


def ways(rules: int) -> dict[str, Callable[[], Call]]:
    """The ways by name; those that measure one group give it that many rules."""
    return {
        "straightforward": straightforward,
        "product": product,
        "evaluation": evaluation,
        "largest_group": partial(largest_group, rules),
        "hostile_group": partial(hostile_group, rules),
        "hostile_report": partial(hostile_report, rules),
        "many_findings": partial(ledger.run_on, ledger.many_findings),
        "many_rules": partial(ledger.run_on, ledger.many_rules),
        "most_rules": partial(ledger.run_on, ledger.most_rules),
        "warm_runs": ledger.warm_runs,
    }
