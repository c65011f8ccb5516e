"""Reads one region from EC2."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import PaginationError

from handler import aws
from handler.ec2.group_xml import GROUPS, read_security_groups
from handler.ec2.interfaces import parse_interfaces
from handler.ec2.parse import parse_prefix_list, parse_rule_ids, parse_security_group
from handler.ec2.response_xml import parse_response
from handler.ec2.routes import parse_block_public_access, parse_network_acl, parse_route_table
from handler.model.network import (
    ENTRY_POINT_TYPES,
    BlockPublicAccess,
    NetworkAcl,
    NetworkInterface,
    PrefixList,
    PrivateGroup,
    RouteTable,
    Rule,
    SecurityGroup,
)

# The key of an operation's items and the largest page that AWS allows: fewer calls are throttled
# less.
_PAGES = {
    "describe_security_groups": ("SecurityGroups", 500),
    "describe_security_group_rules": ("SecurityGroupRules", 1000),
    "describe_network_interfaces": ("NetworkInterfaces", 1000),
    "describe_route_tables": ("RouteTables", 100),
    "describe_network_acls": ("NetworkAcls", 1000),
    "describe_managed_prefix_lists": ("PrefixLists", 100),
    "get_managed_prefix_list_entries": ("Entries", 100),
}
_MAX_FILTER_VALUES = 200
# Errors of a boto3 or a region that does not support IncludeManagedResources.
_UNKNOWN_PARAMETER = frozenset(
    {"ParamValidationError", "UnknownParameter", "InvalidParameterValue", "InvalidParameter"}
)
_NO_SUCH_LIST = "this account has no such list, and none is shared with it."


def enabled_regions(ec2: Any) -> tuple[str, ...]:
    """The regions that are enabled for the account, sorted."""
    return tuple(sorted(region["RegionName"] for region in ec2.describe_regions()["Regions"]))


class Ec2Region:
    """One region of an account, read from EC2.

    The methods raise one of ``aws.FAILURES``, or ``ValueError`` for a response that is not in EC2's
    documented format.
    """

    def __init__(self, ec2: Any) -> None:
        """``ec2`` is a boto3 client."""
        self._ec2 = ec2
        self.hides_managed = False
        # The ids keep a reused client from registering twice; the more specific event comes first.
        hook = "before-parse.ec2.DescribeSecurityGroups"
        ec2.meta.events.register(hook, read_security_groups, unique_id=hook)
        ec2.meta.events.register("before-parse.ec2", parse_response, unique_id=__name__)

    def security_groups(self) -> Iterator[SecurityGroup | PrivateGroup]:
        """All security groups, page by page."""
        for page in self._pages("describe_security_groups"):
            remaining = iter(page["SecurityGroups"])
            for group in page.get(GROUPS, remaining):
                if isinstance(group, PrivateGroup):
                    yield group
                else:
                    yield parse_security_group(next(remaining) if group is None else group)

    def rule_ids(self, group_ids: Sequence[str]) -> Iterator[tuple[Rule, str]]:
        """The groups' inbound rules with their sgr- ids."""
        return parse_rule_ids(
            self._filtered("describe_security_group_rules", "group-id", group_ids)
        )

    def interfaces(self, group_ids: Sequence[str]) -> tuple[NetworkInterface, ...]:
        """The network interfaces that have any of the groups."""
        return self._interfaces("group-id", group_ids)

    def entry_points(self) -> tuple[NetworkInterface, ...]:
        """The network interfaces of network load balancers and accelerators."""
        return self._interfaces("interface-type", ENTRY_POINT_TYPES)

    def route_tables(self) -> tuple[RouteTable, ...]:
        """All route tables."""
        return tuple(map(parse_route_table, self._items("describe_route_tables")))

    def network_acls(self) -> tuple[NetworkAcl, ...]:
        """All network ACLs."""
        return tuple(map(parse_network_acl, self._items("describe_network_acls")))

    def block_public_access(self) -> BlockPublicAccess:
        """VPC Block Public Access, with its exclusions if it is on."""
        response = self._ec2.describe_vpc_block_public_access_options()
        options = response.get("VpcBlockPublicAccessOptions")
        block = parse_block_public_access(options, [])
        if block.mode == "off":
            return block
        exclusions: list[Any] = []
        arguments: dict[str, Any] = {"MaxResults": 1000}
        while arguments:
            page = self._ec2.describe_vpc_block_public_access_exclusions(**arguments)
            exclusions += page["VpcBlockPublicAccessExclusions"]
            token = page.get("NextToken")
            if token and token == arguments.get("NextToken"):
                raise PaginationError(message=f"The same next token was received twice: {token}")
            arguments = {**arguments, "NextToken": token} if token else {}
        return parse_block_public_access(options, exclusions)

    def _interfaces(self, name: str, values: Sequence[str]) -> tuple[NetworkInterface, ...]:
        """The matching interfaces; if EC2 supports it, hidden service-managed ones too."""
        arguments = {} if self.hides_managed else {"IncludeManagedResources": True}
        try:
            return parse_interfaces(
                self._filtered("describe_network_interfaces", name, values, **arguments)
            )
        except (*aws.FAILURES, ValueError) as error:
            if self.hides_managed or aws.error_code(error) not in _UNKNOWN_PARAMETER:
                raise
            self.hides_managed = True
            return self._interfaces(name, values)

    def prefix_lists(self, ids: Sequence[str]) -> dict[str, PrefixList]:
        """The lists by id; a list that could not be read has an error."""
        try:
            items = list(self._filtered("describe_managed_prefix_lists", "prefix-list-id", ids))
        except (*aws.FAILURES, ValueError) as error:
            return {list_id: PrefixList(list_id, error=aws.error_text(error)) for list_id in ids}
        known = {item.get("PrefixListId"): item for item in items}
        return {list_id: self._prefix_list(list_id, known.get(list_id)) for list_id in ids}

    def _prefix_list(self, list_id: str, description: Mapping[str, Any] | None) -> PrefixList:
        if description is None:
            return PrefixList(list_id, error=_NO_SUCH_LIST)
        entries = self._items("get_managed_prefix_list_entries", PrefixListId=list_id)
        try:
            return parse_prefix_list(list_id, description, entries)
        except aws.FAILURES as error:
            return PrefixList(list_id, error=aws.error_text(error))

    def _filtered(
        self, operation: str, name: str, values: Sequence[str], **arguments: Any
    ) -> Iterator[Any]:
        """The items that have one of the values, with as many values per call as AWS accepts."""
        for start in range(0, len(values), _MAX_FILTER_VALUES):
            batch = list(values[start : start + _MAX_FILTER_VALUES])
            filters = [{"Name": name, "Values": batch}]
            yield from self._items(operation, Filters=filters, **arguments)

    def _items(self, operation: str, **arguments: Any) -> Iterator[Any]:
        for page in self._pages(operation, **arguments):
            yield from page[_PAGES[operation][0]]

    def _pages(self, operation: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        key, size = _PAGES[operation]
        paginator = self._ec2.get_paginator(operation)
        for page in paginator.paginate(**arguments, PaginationConfig={"PageSize": size}):
            if key not in page:
                raise ValueError(f"{operation} must answer with {key}, and did not.")
            yield page
