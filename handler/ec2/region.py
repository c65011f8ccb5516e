"""The calls to EC2 that read one region."""

from collections.abc import Iterator, Sequence
from typing import Any

from handler import aws
from handler.ec2.interfaces import parse_interfaces
from handler.ec2.parse import parse_prefix_list, parse_rule_ids, parse_security_group
from handler.ec2.xml import read_security_groups
from handler.model.network import NetworkInterface, PrefixList, Rule, SecurityGroup

# The most that AWS accepts: fewer calls are throttled less.
_PAGE_SIZES = {
    "describe_security_groups": 1000,
    "describe_security_group_rules": 1000,
    "describe_network_interfaces": 1000,
    "describe_managed_prefix_lists": 100,
    "get_managed_prefix_list_entries": 100,
}
_MOST_FILTER_VALUES = 200
_NO_SUCH_LIST = "this account has no such list, and none is shared with it."


def account_id(sts: Any) -> str:
    """The id of the account that the credentials belong to."""
    return str(sts.get_caller_identity()["Account"])


def enabled_regions(ec2: Any) -> tuple[str, ...]:
    """Every region that is enabled for the account, sorted."""
    return tuple(sorted(region["RegionName"] for region in ec2.describe_regions()["Regions"]))


class Ec2Region:
    """The security groups of one region of an account, read from EC2.

    The methods raise one of ``aws.FAILURES``, or ``ValueError`` for an answer that is not in the
    form that EC2 documents.
    """

    def __init__(self, ec2: Any) -> None:
        """``ec2`` is a boto3 client."""
        self._ec2 = ec2
        # Registered once, however often a client is used.
        hook = "before-parse.ec2.DescribeSecurityGroups"
        ec2.meta.events.register(hook, read_security_groups, unique_id=hook)

    def security_groups(self) -> Iterator[SecurityGroup]:
        """All groups, page by page."""
        for answer in self._items("describe_security_groups", "SecurityGroups"):
            yield parse_security_group(answer)

    def rule_ids(self, group_ids: Sequence[str]) -> Iterator[tuple[Rule, str]]:
        """The groups' inbound rules with their sgr- ids."""
        operation, key = "describe_security_group_rules", "SecurityGroupRules"
        return parse_rule_ids(self._filtered(operation, key, "group-id", group_ids))

    def interfaces(self, group_ids: Sequence[str]) -> tuple[NetworkInterface, ...]:
        """The network interfaces that have any of the groups."""
        operation, key = "describe_network_interfaces", "NetworkInterfaces"
        return parse_interfaces(self._filtered(operation, key, "group-id", group_ids))

    def prefix_lists(self, ids: Sequence[str]) -> dict[str, PrefixList]:
        """All of the lists, by id; one that cannot be read has an error."""
        operation, key = "describe_managed_prefix_lists", "PrefixLists"
        try:
            answers = list(self._filtered(operation, key, "prefix-list-id", ids))
        except (*aws.FAILURES, ValueError) as error:
            return {list_id: PrefixList(list_id, error=aws.error_text(error)) for list_id in ids}
        owners = {answer.get("PrefixListId"): answer.get("OwnerId") for answer in answers}
        return {list_id: self._prefix_list(list_id, owners.get(list_id)) for list_id in ids}

    def _prefix_list(self, list_id: str, owner: str | None) -> PrefixList:
        if owner is None:
            return PrefixList(list_id, error=_NO_SUCH_LIST)
        entries = self._items("get_managed_prefix_list_entries", "Entries", PrefixListId=list_id)
        try:
            return parse_prefix_list(list_id, owner, entries)
        except aws.FAILURES as error:
            return PrefixList(list_id, error=aws.error_text(error))

    def _filtered(
        self, operation: str, key: str, name: str, values: Sequence[str]
    ) -> Iterator[Any]:
        """The items that have one of the values; each call names as many as AWS accepts."""
        for start in range(0, len(values), _MOST_FILTER_VALUES):
            batch = list(values[start : start + _MOST_FILTER_VALUES])
            yield from self._items(operation, key, Filters=[{"Name": name, "Values": batch}])

    def _items(self, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        pagination = {"PageSize": _PAGE_SIZES[operation]}
        paginator = self._ec2.get_paginator(operation)
        for page in paginator.paginate(**arguments, PaginationConfig=pagination):
            if key not in page:
                message = f"{operation} must answer with {key}, and did not."
                raise ValueError(message)
            yield from page[key]
