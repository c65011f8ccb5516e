"""The commands that close a finding, or let one range in instead."""

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import chain

from handler.model.address import Family, family_of
from handler.model.finding import MAX_NAMED, Finding, Kind
from handler.model.network import REGION_NAME, UNKNOWN, Rule
from handler.model.traffic import ALL_PROTOCOLS, ICMP_PROTOCOLS, PORT_PROTOCOLS, Traffic
from handler.report.phrases import join_first

_ID = re.compile(r"(sg|sgr|pl)-[0-9a-f]+", re.ASCII)
_PLACEHOLDER = "YOUR-RANGE"
_NAMED_RULES = 3
_NAMED_WIDER = 2
_RANGES = {Family.IPV4: ("IpRanges", "CidrIp"), Family.IPV6: ("Ipv6Ranges", "CidrIpv6")}
# A rule's id is in the command of every finding that the rule contributes to.
_quote = lru_cache(maxsize=4096)(shlex.quote)


def with_commands(
    findings: Iterable[Finding], rule_ids: Mapping[Rule, str], portless: AbstractSet[Rule]
) -> Iterator[Finding]:
    """The findings of one target, with rule ids, commands, and what the commands leave open.

    ``rule_ids`` may lack rules. ``portless`` is as for ``revoke_command``.
    """
    findings = list(findings)
    named_in: defaultdict[str, set[int]] = defaultdict(set)
    for finding in findings:
        if finding.kind is Kind.EXPOSURE:
            named_in[finding.group_id].update(map(id, finding.rules))
    for finding in findings:
        rules = finding.rules
        if not rules:
            yield finding
            continue
        # Rules that another finding names are revoked by its command.
        remaining = [r for r in finding.redundant_rules if id(r) not in named_in[finding.group_id]]
        region, named = finding.target.region, rules[:MAX_NAMED]
        fix = revoke_command(region, named, rule_ids, portless)
        details = (
            finding.detail,
            *_remaining_rules(remaining, rule_ids),
            *(_limits_of_command(finding.traffic, rules) if fix else ()),
        )
        has_range = finding.kind.is_exposure and finding.addresses is not None
        yield finding._replace(
            rule_ids=tuple(filter(None, map(rule_ids.get, rules))),
            fix=fix,
            narrower=authorize_command(region, finding.group_id, finding.family, finding.traffic)
            if has_range and finding.family
            else None,
            detail="; ".join(filter(None, details)) or None,
        )


def _remaining_rules(rules: Sequence[Rule], ids: Mapping[Rule, str]) -> Iterator[str]:
    """Which rules still open the finding when its own rules are revoked."""
    if rules:
        texts = [
            f"{rule.traffic.text} from {rule.source}{f' ({ids[rule]})' if rule in ids else ''}"
            for rule in rules[:_NAMED_RULES]
        ]
        named = join_first(texts, _NAMED_RULES, total=len(rules))
        yield f"other rules open it too, or a part of it: {named}"


def _limits_of_command(traffic: Traffic, rules: Sequence[Rule]) -> Iterator[str]:
    """What the command does not revoke, or revokes as well."""
    if len(rules) > MAX_NAMED:
        yield f"the command revokes {MAX_NAMED} of {len(rules)} rules: audit again afterwards"
    wider = [rule for rule in rules[:MAX_NAMED] if not traffic.contains(rule.traffic)]
    if wider:
        texts = [f"{rule.traffic.text} from {rule.source}" for rule in wider[:_NAMED_WIDER]]
        named = join_first(texts, _NAMED_WIDER, total=len(wider))
        yield f"the command also revokes {named}"


def revoke_command(
    region: str,
    rules: Sequence[Rule],
    rule_ids: Mapping[Rule, str],
    portless: AbstractSet[Rule] = frozenset(),
) -> str | None:
    """The AWS CLI commands that revoke exactly these rules, one per group, joined by &&.

    By rule id if all are known, otherwise by the rules' exact properties: AWS then revokes nothing
    else, but in a default VPC it reports no error if no rule matches. None if ids are missing and a
    rule is ``portless``, because EC2 matches ports exactly and these are unknown; None too if an id
    is not in EC2's format.
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

    The range is a placeholder that AWS rejects, so that the command opens nothing as it is. None if
    the group's id is not in EC2's format.
    """
    if not _is_plain(region, [group_id]):
        return None
    options = _permission_options(family, traffic)
    return _command("authorize-security-group-ingress", region, group_id, options)


def _is_plain(region: str, ids: Iterable[str]) -> bool:
    """Whether region and ids are in EC2's format: in a snapshot they may be AWS CLI options."""
    is_region = region == UNKNOWN or REGION_NAME.fullmatch(region) is not None
    return is_region and all(map(_ID.fullmatch, ids))


def _permission_options(family: Family, traffic: Traffic) -> list[str]:
    """The options for the placeholder's permission; the short ones if the AWS CLI has them."""
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
    return _command("revoke-security-group-ingress", region, group_id, selection)


def _command(name: str, region: str, group_id: str, options: Sequence[str]) -> str:
    place = [] if region == UNKNOWN else ["--region", region]
    # Quoted, so that texts from the account cannot add commands.
    return " ".join(map(_quote, ["aws", "ec2", name, *place, "--group-id", group_id, *options]))


def _permission(rule: Rule) -> dict[str, object]:
    """The rule as an IpPermission of the EC2 API."""
    permission = _permission_for(rule.traffic)
    if rule.is_prefix_list:
        return permission | {"PrefixListIds": [{"PrefixListId": rule.source}]}
    key, name = _RANGES[family_of(rule.source)]
    return permission | {key: [{name: rule.source}]}


def _permission_for(traffic: Traffic) -> dict[str, object]:
    """An IpPermission without a source."""
    protocol = {"IpProtocol": "-1" if traffic.protocol == ALL_PROTOCOLS else traffic.protocol}
    low, high = traffic.from_port, traffic.to_port
    if traffic.protocol in ICMP_PROTOCOLS:
        low, high = (-1 if n is None else n for n in (traffic.icmp_type, traffic.icmp_code))
    return {**protocol} if low is None else {**protocol, "FromPort": low, "ToPort": high}
