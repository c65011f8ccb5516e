"""The commands that close an exposure and nothing else, or that let one range in instead."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import chain

from handler.model.address import Family
from handler.model.network import REGION_NAME, UNKNOWN, Rule
from handler.model.traffic import ALL_PROTOCOLS, ICMP_PROTOCOLS, PORT_PROTOCOLS, Traffic

_EC2 = ("aws", "ec2")
_ID = re.compile(r"(sg|sgr|pl)-[0-9a-f]+", re.ASCII)
_PLACEHOLDER = "YOUR-RANGE"
_RANGES = {Family.IPV4: ("IpRanges", "CidrIp"), Family.IPV6: ("Ipv6Ranges", "CidrIpv6")}
# A rule's id is in the command of every finding that it has a part in.
_quote = lru_cache(maxsize=4096)(shlex.quote)


def revoke_command(
    region: str,
    rules: Sequence[Rule],
    rule_ids: Mapping[Rule, str],
    portless: AbstractSet[Rule] = frozenset(),
) -> str | None:
    """The AWS CLI command that revokes just these rules, one for each group, joined by &&.

    By rule id where all are known, else by the rules' exact properties: AWS revokes nothing else
    then, but in a default VPC it does not complain either when no rule has them. None where ids are
    missing and a rule is ``portless``: EC2 matches ports exactly, and those are not known. None too
    where an id is not one of EC2's.
    """
    if not all(rule in rule_ids for rule in rules) and any(rule in portless for rule in rules):
        return None
    lists = (rule.source for rule in rules if rule.is_prefix_list)
    ids = (rule.group_id for rule in rules), filter(None, map(rule_ids.get, rules)), lists
    if not _is_plain(region, chain(*ids)):
        return None
    group_ids = sorted({rule.group_id for rule in rules})
    return " && ".join(
        _revoke(region, group_id, [rule for rule in rules if rule.group_id == group_id], rule_ids)
        for group_id in group_ids
    )


def authorize_command(region: str, group_id: str, family: Family, traffic: Traffic) -> str | None:
    """The AWS CLI command that lets one range of the reader's choice in to the same traffic.

    The range is a placeholder that AWS refuses, so that the command as it is opens nothing. None
    where the group's id is not one of EC2's.
    """
    if not _is_plain(region, [group_id]):
        return None
    command = [*_EC2, "authorize-security-group-ingress", *_region_option(region)]
    return shlex.join([*command, "--group-id", group_id, *_permission_options(family, traffic)])


def _is_plain(region: str, ids: Iterable[str]) -> bool:
    """Whether region and ids are what EC2 gives: a file's may be options of the AWS CLI."""
    is_region = region == UNKNOWN or REGION_NAME.fullmatch(region) is not None
    return is_region and all(map(_ID.fullmatch, ids))


def _permission_options(family: Family, traffic: Traffic) -> list[str]:
    """The placeholder's permission; in short where the AWS CLI has options for it."""
    low, high = traffic.ports
    if family is Family.IPV4 and traffic.protocol in PORT_PROTOCOLS:
        ports = str(low) if low == high else f"{low}-{high}"
        return ["--protocol", traffic.protocol, "--port", ports, "--cidr", _PLACEHOLDER]
    key, name = _RANGES[family]
    permission = _permission_for(traffic) | {key: [{name: _PLACEHOLDER}]}
    return ["--ip-permissions", json.dumps([permission])]


def _revoke(region: str, group_id: str, rules: Sequence[Rule], rule_ids: Mapping[Rule, str]) -> str:
    ids = list(filter(None, map(rule_ids.get, rules)))
    if len(ids) == len(rules):
        selection = ["--security-group-rule-ids", *sorted(ids)]
    else:
        selection = ["--ip-permissions", json.dumps([_permission(rule) for rule in rules])]
    command = "revoke-security-group-ingress"
    options = [*_region_option(region), "--group-id", group_id, *selection]
    # Quoted, because a shell must run this command alone, whatever the account's texts contain.
    return " ".join(map(_quote, [*_EC2, command, *options]))


def _region_option(region: str) -> list[str]:
    return [] if region == UNKNOWN else ["--region", region]


def _permission(rule: Rule) -> dict[str, object]:
    """The rule as an IpPermission of the EC2 API."""
    permission = _permission_for(rule.traffic)
    if rule.is_prefix_list:
        return permission | {"PrefixListIds": [{"PrefixListId": rule.source}]}
    key, name = _RANGES[Family.IPV6 if ":" in rule.source else Family.IPV4]
    return permission | {key: [{name: rule.source}]}


def _permission_for(traffic: Traffic) -> dict[str, object]:
    """An IpPermission without a source."""
    protocol = {"IpProtocol": "-1" if traffic.protocol == ALL_PROTOCOLS else traffic.protocol}
    if traffic.protocol in ICMP_PROTOCOLS:
        numbers = (-1 if n is None else n for n in (traffic.icmp_type, traffic.icmp_code))
        icmp_type, icmp_code = numbers
        return {**protocol, "FromPort": icmp_type, "ToPort": icmp_code}
    if traffic.from_port is None:
        return {**protocol}
    return {**protocol, "FromPort": traffic.from_port, "ToPort": traffic.to_port}
