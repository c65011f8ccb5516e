"""Pagination of the operations that moto answers in one page."""

import base64
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from sandbox.aws.protocol import Operation


@dataclass(frozen=True, slots=True)
class Bounds:
    """The key of an operation's items, and how many of them AWS puts on one page.

    ``ids`` is a parameter that AWS refuses together with MaxResults; ``default_page`` is the number
    without MaxResults (None: all).
    """

    items: str
    smallest: int
    largest: int
    ids: str | None = None
    default_page: int | None = None


# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/, one page for each operation.
PAGED = {
    "DescribeSecurityGroups": Bounds("SecurityGroups", 5, 1000, ids="GroupIds"),
    "DescribeSecurityGroupRules": Bounds("SecurityGroupRules", 5, 1000),
    "DescribeNetworkInterfaces": Bounds("NetworkInterfaces", 5, 1000, ids="NetworkInterfaceIds"),
    "DescribeRouteTables": Bounds("RouteTables", 5, 100),
    "DescribeNetworkAcls": Bounds("NetworkAcls", 5, 1000),
    "DescribeVpcBlockPublicAccessExclusions": Bounds("VpcBlockPublicAccessExclusions", 5, 1000),
    "DescribeManagedPrefixLists": Bounds("PrefixLists", 1, 100, default_page=100),
    "GetManagedPrefixListEntries": Bounds("Entries", 1, 100, default_page=100),
}


class Pages:
    """The items that follow each page, by token.

    A token stays valid, because a client may request the same page twice.
    """

    def __init__(self) -> None:
        self._rest: dict[str, list[Any]] = {}

    def refuse(self, operation: Operation) -> Response | None:
        """The refusal of page parameters that AWS does not take; None if they are fine."""
        bounds = PAGED[operation.name]
        size = operation.parameters.get("MaxResults")
        token = operation.parameters.get("NextToken")
        if size is not None and not bounds.smallest <= size <= bounds.largest:
            return operation.refusal(
                "InvalidParameterValue",
                f"Value ( {size} ) for parameter maxResults is invalid. "
                f"Expecting a value between {bounds.smallest} and {bounds.largest}.",
            )
        if bounds.ids and size is not None and operation.parameters.get(bounds.ids):
            return operation.refusal(
                "InvalidParameterCombination",
                f"The parameter {bounds.ids} cannot be used with the parameter MaxResults",
            )
        if token is not None and token not in self._rest:
            return operation.refusal(
                "InvalidPaginationToken", f"The pagination token '{token}' is not valid."
            )
        return None

    def next_items(self, operation: Operation) -> dict[str, Any] | None:
        """The items from the request's token on; None for a request without a token."""
        if operation.name not in PAGED or "NextToken" not in operation.parameters:
            return None
        return {PAGED[operation.name].items: self._rest[operation.parameters["NextToken"]]}

    def paginate(self, operation: Operation, result: dict[str, Any]) -> None:
        """Reduce the answer to one page, and add a token for the items after it."""
        bounds = PAGED.get(operation.name)
        if bounds is None:
            return
        size = operation.parameters.get("MaxResults", bounds.default_page)
        items = result.get(bounds.items, [])
        if size is None or len(items) <= size:
            return
        token = base64.b64encode(f"{operation.name}/{len(self._rest)}".encode()).decode()
        self._rest[token] = items[size:]
        result[bounds.items] = items[:size]
        result["NextToken"] = token
