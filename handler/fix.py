"""The commands that close an exposure and nothing else, or that let fewer in instead."""

import json
import shlex
from collections.abc import Mapping, Sequence
from functools import lru_cache

from handler.model import ALL, ICMP, UNKNOWN, Family, Finding, Rule, Traffic

_EC2 = ("aws", "ec2")
# A rule's id stands in the command of every finding that it has a part in.
_quote = lru_cache(maxsize=4096)(shlex.quote)


def revoke(region: str, rules: Sequence[Rule], rule_ids: Mapping[Rule, str]) -> str:
    """The AWS CLI command that revokes just these rules, one for each group, joined by &&.

    By rule id where all are known, else by the rules' exact properties: AWS revokes nothing else
    then, but in a default VPC it does not complain either when no rule has them.
    """
    groups = sorted({rule.group_id for rule in rules})
    return " && ".join(
        _revoke(region, group_id, [rule for rule in rules if rule.group_id == group_id], rule_ids)
        for group_id in groups
    )


def authorize(finding: Finding) -> str | None:
    """The AWS CLI command that lets one range of the reader's choice in to the same traffic.

    The range is a placeholder that AWS refuses, so that the command as it is opens nothing. None
    where nobody knows what is open.
    """
    if finding.family is None:
        return None
    ranges = {Family.IPV4: ("IpRanges", "CidrIp"), Family.IPV6: ("Ipv6Ranges", "CidrIpv6")}
    key, name = ranges[finding.family]
    permission = _traffic(finding.traffic) | {key: [{name: "YOUR-RANGE"}]}
    where = [*_region(finding.target.region), "--group-id", finding.group_id]
    return shlex.join(
        [
            *_EC2,
            "authorize-security-group-ingress",
            *where,
            "--ip-permissions",
            json.dumps([permission]),
        ]
    )


def _revoke(region: str, group_id: str, rules: Sequence[Rule], rule_ids: Mapping[Rule, str]) -> str:
    where = [*_region(region), "--group-id", group_id]
    ids = list(filter(None, map(rule_ids.get, rules)))
    if len(ids) == len(rules):
        which = ["--security-group-rule-ids", *sorted(ids)]
    else:
        which = ["--ip-permissions", json.dumps([_permission(rule) for rule in rules])]
    # Whoever pastes it into a shell runs this command, whatever the account's texts say.
    return " ".join(map(_quote, [*_EC2, "revoke-security-group-ingress", *where, *which]))


def _region(region: str) -> list[str]:
    return [] if region == UNKNOWN else ["--region", region]


def _permission(rule: Rule) -> dict[str, object]:
    """The rule as an IpPermission of the EC2 API."""
    permission = _traffic(rule.traffic)
    if rule.is_prefix_list:
        return permission | {"PrefixListIds": [{"PrefixListId": rule.source}]}
    if ":" in rule.source:
        return permission | {"Ipv6Ranges": [{"CidrIpv6": rule.source}]}
    return permission | {"IpRanges": [{"CidrIp": rule.source}]}


def _traffic(traffic: Traffic) -> dict[str, object]:
    """An IpPermission without a source."""
    protocol = {"IpProtocol": "-1" if traffic.protocol == ALL else traffic.protocol}
    if traffic.protocol in ICMP:
        kind, code = (-1 if n is None else n for n in (traffic.icmp_type, traffic.icmp_code))
        return {**protocol, "FromPort": kind, "ToPort": code}
    if traffic.from_port is None:
        return {**protocol}
    return {**protocol, "FromPort": traffic.from_port, "ToPort": traffic.to_port}
