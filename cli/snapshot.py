"""A saved snapshot of a region's groups, read as if it were EC2.

`aws ec2 describe-security-groups > groups.json` makes one. Beside `SecurityGroups` it may hold
`PrefixLists` (each with its `OwnerId` and `Entries`), `NetworkInterfaces` and
`SecurityGroupRules` as AWS answers them, `Account` and `Region`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handler import interfaces, parse
from handler.model import UNKNOWN, Interface, PrefixList, Rule, SecurityGroup, Target

_NOT_IN_THE_FILE = "the snapshot does not hold its entries."


class SnapshotError(ValueError):
    """A file that is no snapshot; the message is a sentence that says why."""


class Snapshot:
    """The groups of one region as they were saved."""

    def __init__(self, content: bytes) -> None:
        """Raises ``SnapshotError``."""
        try:
            snapshot = json.loads(content)
        except (ValueError, RecursionError) as error:
            message = f"the snapshot must be JSON, it is not: {error}."
            raise SnapshotError(message) from error
        if not isinstance(snapshot, dict) or snapshot.get("SecurityGroups") is None:
            message = (
                "the snapshot must be an object with SecurityGroups, as aws ec2 "
                f"describe-security-groups prints it, got {parse.shown(snapshot)}."
            )
            raise SnapshotError(message)
        if snapshot.get("NextToken"):
            message = "the snapshot holds only some of the groups: it ends with a NextToken."
            raise SnapshotError(message)
        groups = _list(snapshot, "SecurityGroups") or []
        # Files that were put together may overlap.
        self._groups = [*{json.dumps(each, sort_keys=True): each for each in groups}.values()]
        self._lists = _list(snapshot, "PrefixLists") or []
        self._rules = _list(snapshot, "SecurityGroupRules") or []
        self._interfaces = _list(snapshot, "NetworkInterfaces")
        owners = [each.get("OwnerId") for each in self._groups if isinstance(each, Mapping)]
        account, region = snapshot.get("Account"), snapshot.get("Region")
        texts = [parse.text(each) for each in (account, *owners)]
        self.target = Target(next(filter(None, texts), UNKNOWN), parse.text(region) or UNKNOWN)

    def security_groups(self) -> Iterator[SecurityGroup]:
        """All groups of the file."""
        return map(parse.security_group, self._groups)

    def prefix_lists(self, ids: Sequence[str]) -> dict[str, PrefixList]:
        """Every one of the lists, by id; one that the file lacks cannot be read."""
        objects = [each for each in self._lists if isinstance(each, dict)]
        held = {parse.text(each.get("PrefixListId")): each for each in objects}
        return {list_id: _prefix_list(list_id, held.get(list_id, {})) for list_id in ids}

    def rule_ids(self, _group_ids: Sequence[str]) -> Iterator[tuple[Rule, str]]:
        """The rules of the file with their sgr- ids."""
        return parse.rule_ids(self._rules)

    def interfaces(self, group_ids: Sequence[str]) -> tuple[Interface, ...] | None:
        """The interfaces that have any of the groups; None when the file holds none at all."""
        if self._interfaces is None:
            return None
        wanted = set(group_ids)
        found = interfaces.interfaces(self._interfaces)
        return tuple(interface for interface in found if wanted & set(interface.group_ids))


def _prefix_list(list_id: str, held: Mapping[str, Any]) -> PrefixList:
    try:
        entries = _list(held, "Entries")
    except SnapshotError as error:
        return PrefixList(list_id, error=str(error))
    if entries is None:
        return PrefixList(list_id, error=_NOT_IN_THE_FILE)
    return parse.prefix_list(list_id, held.get("OwnerId"), entries)


def _list(owner: Mapping[str, Any], key: str) -> list[Any] | None:
    value = owner.get(key)
    if value is not None and not isinstance(value, list):
        message = f"{key} must be a list, got {parse.shown(value)}."
        raise SnapshotError(message)
    return value
