"""Parses EC2's groups, rules and prefix lists into the model.

A rule that AWS does not allow becomes a ``MalformedRule``: nothing is dropped. boto3 and the AWS
CLI return DescribeSecurityGroups in the same format:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

from handler.model.address import is_prefix_list, parse_cidr
from handler.model.network import (
    AWS_LIST_NAME,
    UNKNOWN,
    MalformedRule,
    PrefixList,
    Rule,
    SecurityGroup,
)
from handler.model.traffic import PORT_PROTOCOLS, Traffic, read_traffic
from handler.sanitize import clean_text, describe

_PREFIX_LIST = "PrefixListId"
SOURCES = (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("PrefixListIds", _PREFIX_LIST))
"""The keys of a permission's sources, and of a source's CIDR or id."""
PRIVATE_RULES = "PrivateRules"
"""The key for how many of a group's rules are left out because their sources are private."""
# The OwnerId of AWS-managed prefix lists.
_AWS = "AWS"


def parse_security_group(item: object) -> SecurityGroup:
    """One group of DescribeSecurityGroups; ``malformed`` has the rules that AWS does not allow."""
    group = item if isinstance(item, dict) else {}
    given_id = clean_text(group.get("GroupId"))
    group_id = given_id or UNKNOWN
    rules: list[Rule] = []
    malformed: list[MalformedRule] = []
    if not given_id:
        reason = f"a security group must have a GroupId, got {describe(item)}."
        malformed.append(_malformed({}, reason))
    portless: list[Rule] = []
    descriptions: list[object] = []
    for permission in _entries(group, "IpPermissions", malformed):
        try:
            traffic = parse_permission_traffic(permission)
        except ValueError as error:
            malformed.append(_malformed(permission, str(error)))
            continue
        for key, name in SOURCES:
            for entry in _entries(permission, key, malformed):
                try:
                    rules.append(Rule(group_id, traffic, _source(entry, name)))
                except ValueError as error:
                    malformed.append(_malformed(permission, str(error)))
                    continue
                descriptions.append(entry.get("Description"))
                if traffic.protocol in PORT_PROTOCOLS and permission.get("FromPort") in {None, -1}:
                    portless.append(rules[-1])
    tags = tags_in(group, "Tags")
    return SecurityGroup(
        id=group_id,
        name=clean_text(group.get("GroupName")) or "",
        vpc_id=clean_text(group.get("VpcId")),
        rules=tuple(rules),
        malformed=tuple(malformed),
        owner=_owner(tags),
        account=clean_text(group.get("OwnerId")),
        managed_by=_manager(tags, descriptions),
        portless=frozenset(portless),
        private_rules=_integer(group.get(PRIVATE_RULES)) or 0,
    )


def parse_rule_ids(items: Iterable[object]) -> Iterator[tuple[Rule, str]]:
    """The inbound rules of DescribeSecurityGroupRules, each with its id.

    Rules whose source is a group are left out. Raises ``ValueError`` for a rule without an id, or
    with a protocol or ports that AWS does not allow.
    """
    for item in items:
        fields = require_object(item, "security group rule", "SecurityGroupRuleId")
        cidr = fields.get("CidrIpv4") or fields.get("CidrIpv6") or fields.get("PrefixListId")
        group_id, source = clean_text(fields.get("GroupId")), clean_text(cidr)
        if group_id and source and not fields.get("IsEgress"):
            rule = Rule(group_id, parse_permission_traffic(fields), source)
            yield rule, str(clean_text(fields["SecurityGroupRuleId"]))


def parse_prefix_list(
    list_id: str, description: Mapping[str, Any], entries: Iterable[object]
) -> PrefixList:
    """A list of DescribeManagedPrefixLists; ``error`` is set if an entry is not a CIDR.

    The entries of AWS-managed lists of known services (CloudFront, S3, ...) are not read.
    """
    name = clean_text(description.get("PrefixListName")) or ""
    if description.get("OwnerId") == _AWS and AWS_LIST_NAME.fullmatch(name):
        return PrefixList(list_id, aws_name=name)
    cidrs = []
    try:
        for entry in entries:
            cidr = str(require_object(entry, "prefix list's entry", "Cidr")["Cidr"])
            parse_cidr(cidr)
            cidrs.append(cidr)
    except ValueError as error:
        return PrefixList(list_id, error=str(error))
    return PrefixList(list_id, tuple(cidrs))


def require_object(item: object, noun: str, key: str) -> Mapping[str, Any]:
    """The item, if it is an object with a text under the key; otherwise raises ``ValueError``."""
    if not isinstance(item, dict) or not clean_text(item.get(key)):
        raise ValueError(f"a {noun} must have a {key}, got {describe(item)}.")
    return item


def objects_in(owner: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The objects in the list under the key; anything else is left out."""
    value = owner.get(key)
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict)]


def tags_in(owner: Mapping[str, Any], key: str) -> dict[str, str | None]:
    """The values of the tags in the list under the key, by name."""
    tags = objects_in(owner, key)
    return {str(clean_text(tag.get("Key"))): clean_text(tag.get("Value")) for tag in tags}


def first_text(owner: Mapping[str, Any], keys: Iterable[str]) -> str | None:
    """The first text under one of the keys."""
    return next(filter(None, (clean_text(owner.get(key)) for key in keys)), None)


def is_number(value: object) -> TypeGuard[int]:
    """Whether the value is an integer, and not a bool, which Python counts as one."""
    return isinstance(value, int) and not isinstance(value, bool)


def parse_permission_traffic(permission: Mapping[str, Any]) -> Traffic:
    """The traffic of a permission or rule. Raises ``ValueError`` if AWS does not allow it."""
    return read_traffic(permission, "IpProtocol", "FromPort", "ToPort")


def _owner(tags: Mapping[str, str | None]) -> str | None:
    """The value of the group's Owner tag, whose name may be in upper or lower case."""
    owners = (value for key, value in tags.items() if key.lower() == "owner")
    return next((owner for owner in owners if owner and owner.strip()), None)


def _manager(tags: Mapping[str, str | None], descriptions: Iterable[object]) -> str | None:
    """The controller or stack that manages the rules, from tags and rule descriptions."""
    if stack := tags.get("aws:cloudformation:stack-name"):
        return f"CloudFormation stack {stack}"
    prefix = "kubernetes.io/cluster/"
    owned = (key for key, value in tags.items() if key.startswith(prefix) and value != "shared")
    named = tags.get("elbv2.k8s.aws/cluster") or tags.get("aws:eks:cluster-name")
    if cluster := named or next(owned, "").removeprefix(prefix):
        return f"Kubernetes cluster {cluster}"
    is_kubernetes = any(str(text).startswith("kubernetes.io/rule/") for text in descriptions)
    return "a Kubernetes controller" if is_kubernetes else None


def _source(entry: Mapping[str, Any], name: str) -> str:
    source = str(clean_text(require_object(entry, "source", name)[name]))
    if name != _PREFIX_LIST:
        parse_cidr(source)
    elif not is_prefix_list(source):
        raise ValueError(f"a prefix list's id must begin with pl-, got {describe(source)}.")
    return source


def _entries(
    owner: Mapping[str, Any], key: str, malformed: list[MalformedRule]
) -> Iterator[Mapping[str, Any]]:
    """The objects in the list under the key; anything else is added to ``malformed``."""
    value = [] if owner.get(key) is None else owner[key]
    if not isinstance(value, list):
        malformed.append(_malformed(owner, f"{key} must be a list, got {describe(value)}."))
        return
    for entry in value:
        if isinstance(entry, dict):
            yield entry
        else:
            malformed.append(_malformed(owner, f"{key} must hold objects, got {describe(entry)}."))


def _malformed(permission: Mapping[str, Any], reason: str) -> MalformedRule:
    sources = {
        clean_text(entry.get(name))
        for key, name in SOURCES
        for entry in objects_in(permission, key)
    }
    low, high = (permission.get(name) for name in ("FromPort", "ToPort"))
    return MalformedRule(
        protocol=clean_text(permission.get("IpProtocol")) or "unknown",
        from_port=_integer(low),
        to_port=_integer(high),
        sources=tuple(sorted(source for source in sources if source)),
        reason=reason,
    )


def _integer(value: object) -> int | None:
    """A whole number; None for anything else and for numbers too large for a report."""
    return value if is_number(value) and abs(value) < 2**31 else None
