"""A snapshot of a region of the account, as an audit reads it from a file."""

import json
from typing import Any

from sandbox.aws.account import Account
from sandbox.aws.members import Member

# The lists of a snapshot and the calls that answer them.
_LISTS = {
    "SecurityGroups": "describe_security_groups",
    "SecurityGroupRules": "describe_security_group_rules",
    "RouteTables": "describe_route_tables",
    "NetworkAcls": "describe_network_acls",
    "VpcBlockPublicAccessExclusions": "describe_vpc_block_public_access_exclusions",
}


def take_snapshot(account: Account | Member, region: str = "eu-west-1") -> dict[str, Any]:
    """EC2's answers about the region, as values of JSON.

    Prefix lists have their Entries, and interfaces that are hidden by default are among the others.
    """
    ec2 = account.client("ec2", region)
    interfaces = ec2.describe_network_interfaces(IncludeManagedResources=True)
    options = ec2.describe_vpc_block_public_access_options()
    snapshot = {
        "Account": account.id,
        "Region": region,
        **{key: getattr(ec2, method)()[key] for key, method in _LISTS.items()},
        "NetworkInterfaces": interfaces["NetworkInterfaces"],
        "VpcBlockPublicAccessOptions": options["VpcBlockPublicAccessOptions"],
        "PrefixLists": _prefix_lists(ec2),
    }
    in_json: dict[str, Any] = json.loads(json.dumps(snapshot, default=str))
    return in_json


def _prefix_lists(ec2: Any) -> list[dict[str, Any]]:
    answers = ec2.get_paginator("describe_managed_prefix_lists").paginate()
    return [
        {**prefix_list, "Entries": _entries(ec2, prefix_list["PrefixListId"])}
        for prefix_list in answers.search("PrefixLists[]")
    ]


def _entries(ec2: Any, prefix_list_id: str) -> list[dict[str, str]]:
    paginator = ec2.get_paginator("get_managed_prefix_list_entries")
    return list(paginator.paginate(PrefixListId=prefix_list_id).search("Entries[]"))
