"""CloudTrail's records of the API calls that can open something, as data.

CloudTrail writes parameters in one of two ways. Those of older calls, AuthorizeSecurityGroupIngress
among them, begin with a small letter, and a list is below ``items``. Those of newer calls begin
with a capital below one key, for example ``ModifySecurityGroupRulesRequest``, and a list with one
item is an object. Both are read alike.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from collections.abc import Iterator, Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Any, NamedTuple

from handler.attribution.actor import actor_of
from handler.model.address import is_prefix_list, parse_cidr
from handler.model.network import Target
from handler.model.opened_by import Actor
from handler.model.traffic import Traffic, read_traffic
from handler.sanitize import clean_text, cut

RULE_CALLS = ("AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules")
PREFIX_LIST_CALLS = ("ModifyManagedPrefixList", "RestoreManagedPrefixListVersion")
INTERFACE_CALLS = ("ModifyInstanceAttribute", "ModifyNetworkInterfaceAttribute")
_LONGEST_ADDRESS = 64
_SOURCES = ("cidrIpv4", "cidrIpv6", "prefixListId")


class ChangedRule(NamedTuple):
    """A rule with the values that a call gave it; ``source`` is a CIDR or pl- id."""

    id: str
    traffic: Traffic
    source: str


class ApiCall(NamedTuple):
    """A call that has changed what may come in; ``at`` is UTC in ISO 8601 with a Z.

    ``rules`` are those that it made or changed, ``prefix_list`` is the list to which it added,
    ``holder`` the interface or instance that has ``group_ids``, and no other groups, since.
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
    """The call of a record, as in EventBridge's ``detail`` and in LookupEvents' CloudTrailEvent.

    None for calls that EC2 rejected, dry runs among them, for those that opened nothing, and for
    what is no record.
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
    """A time in UTC to the second, in ISO 8601 with a Z; None for what is none."""
    try:
        time = datetime.fromisoformat(str(value))
        in_utc = time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    # In the first and the last year, what is added to it may be out of range.
    is_usable = time.tzinfo and MINYEAR < in_utc.year < MAXYEAR
    return in_utc.strftime("%Y-%m-%dT%H:%M:%SZ") if is_usable else None


def _changed(
    name: str, request: Mapping[str, Any], response: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What the call has changed, as fields of ``ApiCall``; None for nothing."""
    match name:
        case "AuthorizeSecurityGroupIngress":
            # The request has no ids, and may name a group by its name.
            items = _items(response.get("securityGroupRuleSet"))
            rules = tuple(filter(None, (_rule(item, item) for item in items)))
            return {"rules": rules} if rules else None
        case "ModifySecurityGroupRules":
            updates = _items(request.get("securityGroupRule"))
            values = (_rule(u, _fields(u.get("securityGroupRule"))) for u in updates)
            rules = tuple(filter(None, values))
            return {"rules": rules} if rules else None
        case "ModifyManagedPrefixList" if not any(_items(request.get("addEntry"))):
            return None
        case "ModifyManagedPrefixList" | "RestoreManagedPrefixListVersion":
            list_id = clean_text(request.get("prefixListId"))
            return {"prefix_list": list_id} if list_id else None
        case _ if name in INTERFACE_CALLS:
            return _attached(request)
    return None


def _attached(request: Mapping[str, Any]) -> dict[str, Any] | None:
    """The interface or instance that a call has attached to groups."""
    items = _items(request.get("groupSet"))
    groups = tuple(filter(None, (clean_text(item.get("groupId")) for item in items)))
    holder = clean_text(request.get("networkInterfaceId")) or clean_text(request.get("instanceId"))
    # These calls change many other attributes, too.
    return {"holder": holder, "group_ids": groups} if holder and groups else None


def _rule(owner: Mapping[str, Any], values: Mapping[str, Any]) -> ChangedRule | None:
    """A rule with its values; None for an outbound one, and one without public sources."""
    rule_id = clean_text(owner.get("securityGroupRuleId"))
    source = next(filter(None, (clean_text(values.get(key)) for key in _SOURCES)), None)
    if rule_id is None or source is None or values.get("isEgress"):
        return None
    try:
        traffic = read_traffic(values, "ipProtocol", "fromPort", "toPort")
        if not is_prefix_list(source):
            parse_cidr(source)
    except ValueError:
        return None
    return ChangedRule(rule_id, traffic, source)


def _items(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a list in either way of writing."""
    fields = _fields(value)
    items = fields.get("items", [value]) if fields else value
    return filter(None, map(_fields, items if isinstance(items, list) else ()))


def _fields(value: object) -> Mapping[str, Any]:
    """An object with keys that begin with a small letter; empty for anything else."""
    if not isinstance(value, Mapping):
        return {}
    return {_small(str(key)): item for key, item in value.items()}


def _small(key: str) -> str:
    return key[:1].lower() + key[1:]
