"""Reads EC2, and turns what it refuses into words rather than into silence."""

from collections.abc import Iterator, Sequence
from typing import Any

from handler import aws, interfaces, parse
from handler.model import Interface, PrefixList, Rule, SecurityGroup

# The most that AWS takes at once: fewer calls are fewer chances to be throttled.
_PAGE_SIZES = {
    "describe_security_groups": 1000,
    "describe_security_group_rules": 1000,
    "describe_network_interfaces": 1000,
    "describe_managed_prefix_lists": 100,
    "get_managed_prefix_list_entries": 100,
}
_MOST_FILTER_VALUES = 200
_NO_SUCH_LIST = "this account has no such list, and none is shared with it."


def account(sts: Any) -> str:
    """The id of the account that the credentials belong to."""
    return str(sts.get_caller_identity()["Account"])


def enabled_regions(ec2: Any) -> tuple[str, ...]:
    """Every region that is enabled for the account, sorted."""
    return tuple(sorted(region["RegionName"] for region in ec2.describe_regions()["Regions"]))


class Region:
    """The security groups of one region of an account, as EC2 tells them."""

    def __init__(self, ec2: Any) -> None:
        self._ec2 = ec2

    def security_groups(self) -> Iterator[SecurityGroup]:
        """All groups, page by page.

        Raises one of ``aws.FAILURES``, or ``ValueError`` for an answer that makes no sense.
        """
        for answer in self._items("describe_security_groups", "SecurityGroups"):
            yield parse.security_group(answer)

    def rule_ids(self, group_ids: Sequence[str]) -> Iterator[tuple[Rule, str]]:
        """The groups' inbound rules with their sgr- ids; raises what ``security_groups`` does."""
        operation, key = "describe_security_group_rules", "SecurityGroupRules"
        return parse.rule_ids(self._filtered(operation, key, "group-id", group_ids))

    def interfaces(self, group_ids: Sequence[str]) -> tuple[Interface, ...]:
        """The network interfaces that have any of the groups; raises as ``security_groups``."""
        operation, key = "describe_network_interfaces", "NetworkInterfaces"
        return interfaces.interfaces(self._filtered(operation, key, "group-id", group_ids))

    def prefix_lists(self, ids: Sequence[str]) -> dict[str, PrefixList]:
        """Every one of the lists, by id; one that cannot be read says why."""
        operation, key = "describe_managed_prefix_lists", "PrefixLists"
        try:
            answers = list(self._filtered(operation, key, "prefix-list-id", ids))
        except (*aws.FAILURES, ValueError) as error:
            return {list_id: PrefixList(list_id, error=aws.sentence(error)) for list_id in ids}
        owners = {answer.get("PrefixListId"): answer.get("OwnerId") for answer in answers}
        return {list_id: self._prefix_list(list_id, owners.get(list_id)) for list_id in ids}

    def _prefix_list(self, list_id: str, owner: str | None) -> PrefixList:
        if owner is None:
            return PrefixList(list_id, error=_NO_SUCH_LIST)
        entries = self._items("get_managed_prefix_list_entries", "Entries", PrefixListId=list_id)
        try:
            return parse.prefix_list(list_id, owner, entries)
        except aws.FAILURES as error:
            return PrefixList(list_id, error=aws.sentence(error))

    def _filtered(
        self, operation: str, key: str, name: str, values: Sequence[str]
    ) -> Iterator[Any]:
        """The items that have one of the values, asked for with as many as AWS takes at once."""
        for start in range(0, len(values), _MOST_FILTER_VALUES):
            some = list(values[start : start + _MOST_FILTER_VALUES])
            yield from self._items(operation, key, Filters=[{"Name": name, "Values": some}])

    def _items(self, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        pagination = {"PageSize": _PAGE_SIZES[operation]}
        paginator = self._ec2.get_paginator(operation)
        for page in paginator.paginate(**arguments, PaginationConfig=pagination):
            if key not in page:
                message = f"{operation} must answer with {key}, and did not."
                raise ValueError(message)
            yield from page[key]
