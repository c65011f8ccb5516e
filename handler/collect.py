"""Reads EC2, and turns what it refuses into words rather than into silence."""

from collections.abc import Iterator, Sequence
from typing import Any

from handler import aws, parse
from handler.address import parse_cidr
from handler.model import PrefixList, Rule, SecurityGroup

# The most that AWS takes at once: fewer calls are fewer chances to be throttled.
_PAGE_SIZES = {
    "describe_security_groups": 1000,
    "describe_security_group_rules": 1000,
    "describe_managed_prefix_lists": 100,
    "get_managed_prefix_list_entries": 100,
}
_MOST_FILTER_VALUES = 200
# AWS's own lists (CloudFront, S3, ...) hold its services' addresses, not the internet.
_AWS = "AWS"
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

    def rule_ids(self, group_ids: Sequence[str]) -> dict[Rule, str]:
        """The sgr- ids of the groups' inbound rules; raises what ``security_groups`` does."""
        found: dict[Rule, str] = {}
        for filters in _filters("group-id", group_ids):
            for answer in self._items(
                "describe_security_group_rules", "SecurityGroupRules", Filters=filters
            ):
                rule = None if answer["IsEgress"] else parse.rule(answer)
                if rule is not None:
                    found[rule] = answer["SecurityGroupRuleId"]
        return found

    def prefix_lists(self, ids: Sequence[str]) -> dict[str, PrefixList]:
        """Every one of the lists, by id; one that cannot be read says why."""
        try:
            owners = {
                answer["PrefixListId"]: answer["OwnerId"]
                for filters in _filters("prefix-list-id", ids)
                for answer in self._items(
                    "describe_managed_prefix_lists", "PrefixLists", Filters=filters
                )
            }
        except aws.FAILURES as error:
            return {list_id: PrefixList(list_id, error=aws.sentence(error)) for list_id in ids}
        return {list_id: self._prefix_list(list_id, owners.get(list_id)) for list_id in ids}

    def _prefix_list(self, list_id: str, owner: str | None) -> PrefixList:
        if owner is None:
            return PrefixList(list_id, error=_NO_SUCH_LIST)
        if owner == _AWS:
            return PrefixList(list_id)
        try:
            entries = self._items(
                "get_managed_prefix_list_entries", "Entries", PrefixListId=list_id
            )
            cidrs = tuple(entry["Cidr"] for entry in entries)
            for cidr in cidrs:
                parse_cidr(cidr)
        except (*aws.FAILURES, ValueError) as error:
            return PrefixList(list_id, error=aws.sentence(error))
        return PrefixList(list_id, cidrs)

    def _items(self, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        pagination = {"PageSize": _PAGE_SIZES[operation]}
        paginator = self._ec2.get_paginator(operation)
        for page in paginator.paginate(**arguments, PaginationConfig=pagination):
            yield from page[key]


def _filters(name: str, values: Sequence[str]) -> Iterator[list[dict[str, object]]]:
    """Filters for all the values, each with as many as AWS takes."""
    for start in range(0, len(values), _MOST_FILTER_VALUES):
        yield [{"Name": name, "Values": list(values[start : start + _MOST_FILTER_VALUES])}]
