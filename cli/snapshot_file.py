"""Reads a region's groups from a saved snapshot instead of EC2.

``aws ec2 describe-security-groups > groups.json`` saves one. Besides ``SecurityGroups`` it may have
``Account``, ``Region`` and, as EC2 returns them, ``PrefixLists`` (each with its ``OwnerId`` and
``Entries``), ``NetworkInterfaces``, ``SecurityGroupRules``, ``RouteTables``, ``NetworkAcls``,
``VpcBlockPublicAccessOptions`` and ``VpcBlockPublicAccessExclusions``.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handler.ec2.group_source import GroupSource
from handler.ec2.interfaces import parse_interfaces
from handler.ec2.parse import parse_prefix_list, parse_rule_ids, parse_security_group
from handler.ec2.routes import parse_block_public_access, parse_network_acl, parse_route_table
from handler.model.network import (
    ENTRY_POINT_TYPES,
    REGION_NAME,
    UNKNOWN,
    BlockPublicAccess,
    NetworkAcl,
    NetworkInterface,
    PrefixList,
    RouteTable,
    Rule,
    SecurityGroup,
    Target,
)
from handler.sanitize import clean_text, expected

_ANY_TEXT = re.compile(r"(.+)", re.DOTALL)
_REGION_OF_ARN = re.compile(rf"arn:aws[a-z-]*:ec2:({REGION_NAME.pattern}):")
_NOT_IN_THE_FILE = "the snapshot does not hold its entries."


class SnapshotError(ValueError):
    """A file that is not a snapshot; the message is a sentence with the reason."""


class Snapshot(GroupSource):
    """The groups of one region as they were saved."""

    def __init__(self, content: bytes) -> None:
        """Raises ``SnapshotError``."""
        try:
            snapshot = json.loads(content)
        except (ValueError, RecursionError) as error:
            reason = f"not JSON: {error}" if content else "it is empty"
            raise SnapshotError(reason) from error
        if not isinstance(snapshot, dict) or snapshot.get("SecurityGroups") is None:
            form = "an object with SecurityGroups, as aws ec2 describe-security-groups prints it"
            raise SnapshotError(expected("a snapshot", form, snapshot))
        if snapshot.get("NextToken"):
            raise SnapshotError("only some of the groups: it ends with a NextToken")
        groups = _list(snapshot, "SecurityGroups") or []
        # Files that were merged may hold a group twice.
        self._groups = [*{json.dumps(group, sort_keys=True): group for group in groups}.values()]
        self._lists = _list(snapshot, "PrefixLists") or []
        self._rules = _list(snapshot, "SecurityGroupRules") or []
        self._interfaces = _list(snapshot, "NetworkInterfaces")
        self._route_tables = _list(snapshot, "RouteTables")
        self._network_acls = _list(snapshot, "NetworkAcls")
        self._block_options = snapshot.get("VpcBlockPublicAccessOptions")
        self._block_exclusions = _list(snapshot, "VpcBlockPublicAccessExclusions")
        account, region = clean_text(snapshot.get("Account")), clean_text(snapshot.get("Region"))
        self.target = Target(
            account or self._most_frequent("OwnerId", _ANY_TEXT),
            region or self._most_frequent("SecurityGroupArn", _REGION_OF_ARN),
        )

    def _most_frequent(self, key: str, pattern: re.Pattern[str]) -> str:
        """The most frequent value of the key: groups shared by other accounts have another one."""
        groups = (group for group in self._groups if isinstance(group, Mapping))
        matches = (pattern.match(clean_text(group.get(key)) or "") for group in groups)
        values = Counter(match[1] for match in matches if match)
        return values.most_common(1)[0][0] if values else UNKNOWN

    def security_groups(self) -> Iterator[SecurityGroup]:
        """All groups of the file."""
        return map(parse_security_group, self._groups)

    def prefix_lists(self, ids: Sequence[str]) -> dict[str, PrefixList]:
        """All of the lists, by id; one that is not in the file has an error."""
        saved = {clean_text(x.get("PrefixListId")): x for x in self._lists if isinstance(x, dict)}
        return {list_id: _prefix_list(list_id, saved.get(list_id, {})) for list_id in ids}

    def rule_ids(self, _group_ids: Sequence[str]) -> Iterator[tuple[Rule, str]]:
        """The rules of the file with their sgr- ids."""
        return parse_rule_ids(self._rules)

    def interfaces(self, group_ids: Sequence[str]) -> tuple[NetworkInterface, ...] | None:
        """The interfaces that have any of the groups; None if the file has no list of them."""
        if self._interfaces is None:
            return None
        requested = set(group_ids)
        interfaces = parse_interfaces(self._interfaces)
        return tuple(interface for interface in interfaces if requested & set(interface.group_ids))

    def entry_points(self) -> tuple[NetworkInterface, ...]:
        """The network interfaces of load balancers and accelerators."""
        interfaces = parse_interfaces(self._interfaces or [])
        return tuple(interface for interface in interfaces if interface.type in ENTRY_POINT_TYPES)

    def route_tables(self) -> tuple[RouteTable, ...] | None:
        """The route tables; None if the file does not have them."""
        tables = self._route_tables
        return None if tables is None else tuple(map(parse_route_table, tables))

    def network_acls(self) -> tuple[NetworkAcl, ...] | None:
        """The network ACLs; None if the file does not have them."""
        acls = self._network_acls
        return None if acls is None else tuple(map(parse_network_acl, acls))

    def block_public_access(self) -> BlockPublicAccess | None:
        """VPC Block Public Access; None if the file does not have it with its exclusions."""
        if self._block_options is None:
            return None
        block = parse_block_public_access(self._block_options, self._block_exclusions or [])
        is_known = block.mode == "off" or self._block_exclusions is not None
        return block if is_known else None


def _prefix_list(list_id: str, saved: Mapping[str, Any]) -> PrefixList:
    try:
        entries = _list(saved, "Entries")
    except SnapshotError as error:
        return PrefixList(list_id, error=str(error))
    prefix_list = parse_prefix_list(list_id, saved, entries or [])
    is_missing = entries is None and prefix_list.aws_name is None
    return PrefixList(list_id, error=_NOT_IN_THE_FILE) if is_missing else prefix_list


def _list(document: Mapping[str, Any], key: str) -> list[Any] | None:
    value = document.get(key)
    if value is not None and not isinstance(value, list):
        raise SnapshotError(expected(key, "a list", value))
    return value
