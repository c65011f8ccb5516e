"""Parses CloudTrail's records of the API calls that can open something.

CloudTrail has two formats for parameters. Names in older calls, for example
AuthorizeSecurityGroupIngress, begin with a lower-case letter, and lists are below ``items``. Names
in newer calls begin with a capital, all below one key like ``ModifySecurityGroupRulesRequest``, and
a list of one item is an object.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from itertools import starmap
from typing import Any, NamedTuple

from handler.attribution.actor import actor_of
from handler.model.address import is_prefix_list, parse_cidr
from handler.model.network import Target
from handler.model.opened_by import Actor
from handler.model.traffic import Traffic, read_traffic
from handler.sanitize import clean_text, clean_texts, cut

RULE_CALLS = ("AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules")
PREFIX_LIST_CALLS = ("ModifyManagedPrefixList", "RestoreManagedPrefixListVersion")
INTERFACE_CALLS = ("ModifyInstanceAttribute", "ModifyNetworkInterfaceAttribute")
_LONGEST_ADDRESS = 64
_SOURCES = ("cidrIpv4", "cidrIpv6", "prefixListId")


class ChangedRule(NamedTuple):
    """A rule with the values that a call set; ``source`` is a CIDR or pl- id."""

    id: str
    traffic: Traffic
    source: str


class ApiCall(NamedTuple):
    """An API call that may have opened something; ``at`` is UTC in ISO 8601 with a Z.

    ``rules`` were created or changed, ``prefix_list`` got entries, or ``holder`` (an interface or
    instance) was attached to exactly the groups ``group_ids``.
    """

    id: str
    name: str
    target: Target
    at: str
    actor: Actor
    source_address: str | None = None
    rules: tuple[ChangedRule, ...] = ()
    prefix_list: str | None = None
    holder: str | None = None
    group_ids: tuple[str, ...] = ()


def parse_record(record: object) -> ApiCall | None:
    """The call in a record, which is EventBridge's ``detail`` or LookupEvents' CloudTrailEvent.

    None if the call opened nothing, if EC2 rejected it (dry runs too), or if it is not a record.
    """
    fields = _fields(record)
    ids = [clean_text(fields.get(key)) for key in ("eventID", "eventName", "awsRegion")]
    event_id, name, region = (cut(text, _LONGEST_ADDRESS) if text else "" for text in ids)
    account = clean_text(fields.get("recipientAccountId")) or ""
    at = event_time(fields.get("eventTime"))
    if fields.get("errorCode") or not (event_id and name and region and at):
        return None
    request = _fields(fields.get("requestParameters"))
    request = _fields(request.get(f"{_small(name)}Request")) or request
    response = _fields(fields.get("responseElements"))
    changed = _changed(name, request, response)
    if not changed:
        return None
    address = clean_text(fields.get("sourceIPAddress"))
    return ApiCall(
        event_id,
        name,
        Target(account, region),
        at,
        actor_of(fields.get("userIdentity"), account),
        cut(address, _LONGEST_ADDRESS) if address else None,
        **changed,
    )


def event_time(value: object) -> str | None:
    """The time in UTC to the second, in ISO 8601 with a Z; None if it is not a time."""
    try:
        time = datetime.fromisoformat(str(value))
        in_utc = time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    # In the first and the last year, adding to it could leave Python's range.
    is_usable = time.tzinfo and MINYEAR < in_utc.year < MAXYEAR
    return in_utc.strftime("%Y-%m-%dT%H:%M:%SZ") if is_usable else None


def _changed(
    name: str, request: Mapping[str, Any], response: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What the call changed, as fields of ``ApiCall``; None if it opened nothing."""
    updates: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]] = ()
    match name:
        case "AuthorizeSecurityGroupIngress":
            # The request has no rule ids, and may identify the group by name.
            updates = ((item, item) for item in _items(response.get("securityGroupRuleSet")))
        case "ModifySecurityGroupRules":
            items = _items(request.get("securityGroupRule"))
            updates = ((item, _fields(item.get("securityGroupRule"))) for item in items)
        case "ModifyManagedPrefixList" if not any(_items(request.get("addEntry"))):
            return None
        case "ModifyManagedPrefixList" | "RestoreManagedPrefixListVersion":
            list_id = clean_text(request.get("prefixListId"))
            return {"prefix_list": list_id} if list_id else None
        case _ if name in INTERFACE_CALLS:
            groups = clean_texts(item.get("groupId") for item in _items(request.get("groupSet")))
            holders = clean_texts(map(request.get, ("networkInterfaceId", "instanceId")))
            # These calls can also change other attributes.
            return {"holder": holders[0], "group_ids": groups} if holders and groups else None
    rules = tuple(filter(None, starmap(_rule, updates)))
    return {"rules": rules} if rules else None


def _rule(owner: Mapping[str, Any], values: Mapping[str, Any]) -> ChangedRule | None:
    """The rule with its values; None if it is outbound, or its source is neither CIDR nor list."""
    rule_id = clean_text(owner.get("securityGroupRuleId"))
    sources = clean_texts(map(values.get, _SOURCES))
    if rule_id is None or not sources or values.get("isEgress"):
        return None
    try:
        traffic = read_traffic(values, "ipProtocol", "fromPort", "toPort")
        if not is_prefix_list(sources[0]):
            parse_cidr(sources[0])
    except ValueError:
        return None
    return ChangedRule(rule_id, traffic, sources[0])


def _items(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a list in either format."""
    fields = _fields(value)
    items = fields.get("items", [value]) if fields else value
    return filter(None, map(_fields, items if isinstance(items, list) else ()))


def _fields(value: object) -> Mapping[str, Any]:
    """The object, with the first letter of its keys in lower case; empty for anything else."""
    if not isinstance(value, Mapping):
        return {}
    return {_small(str(key)): item for key, item in value.items()}


def _small(key: str) -> str:
    return key[:1].lower() + key[1:]
