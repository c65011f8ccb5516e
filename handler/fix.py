"""The command that closes an exposure and nothing else."""

import json
import shlex
from collections.abc import Mapping, Sequence
from functools import lru_cache

from handler.model import ALL, ICMP, UNKNOWN, Rule

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


def _revoke(region: str, group_id: str, rules: Sequence[Rule], rule_ids: Mapping[Rule, str]) -> str:
    place = [] if region == UNKNOWN else ["--region", region]
    place += ["--group-id", group_id]
    ids = list(filter(None, map(rule_ids.get, rules)))
    if len(ids) == len(rules):
        which = ["--security-group-rule-ids", *sorted(ids)]
    else:
        which = ["--ip-permissions", json.dumps([_permission(rule) for rule in rules])]
    # Whoever pastes it into a shell runs this command, whatever the account's texts say.
    return " ".join(map(_quote, ["aws", "ec2", "revoke-security-group-ingress", *place, *which]))


def _permission(rule: Rule) -> dict[str, object]:
    """The rule as an IpPermission of the EC2 API."""
    traffic = rule.traffic
    permission: dict[str, object] = {
        "IpProtocol": "-1" if traffic.protocol == ALL else traffic.protocol
    }
    if traffic.protocol in ICMP:
        permission["FromPort"] = -1 if traffic.icmp_type is None else traffic.icmp_type
        permission["ToPort"] = -1 if traffic.icmp_code is None else traffic.icmp_code
    elif traffic.from_port is not None:
        permission |= {"FromPort": traffic.from_port, "ToPort": traffic.to_port}
    if rule.is_prefix_list:
        return permission | {"PrefixListIds": [{"PrefixListId": rule.source}]}
    if ":" in rule.source:
        return permission | {"Ipv6Ranges": [{"CidrIpv6": rule.source}]}
    return permission | {"IpRanges": [{"CidrIp": rule.source}]}
