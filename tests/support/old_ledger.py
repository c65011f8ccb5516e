"""A region as version 1 read it in the two runs that ``state-v1.json`` is of.

Both runs were of the program at its version 1 with the settings' defaults, on 2026-11-21 and
2026-11-22 at 06:00 UTC; another region was denied in both.
"""

from typing import Any

from tests.support.network import CLOUDFRONT, PUBLIC_IPV4, interface
from tests.support.security_groups import answer, permission

WORLD = "0.0.0.0/0"
CLOSED_IN_BETWEEN = answer(permission("tcp", 3389, 3389, WORLD), group_id="sg-4")
OPENED_IN_BETWEEN = answer(permission("tcp", 5432, 5432, "52.0.0.0/8"), group_id="sg-5")
GROUPS = [
    answer(permission("tcp", 22, 22, "0.0.0.0/1"), group_id="sg-1"),
    answer(
        permission("tcp", 22, 22, "128.0.0.0/1", "::/0"),
        permission("icmp", 8, -1, WORLD),
        # A list that could not be read, one of AWS's own and one of the customer's.
        permission("tcp", 9, 9, "pl-1"),
        permission("tcp", 3389, 3389, "pl-2"),
        permission("tcp", 3306, 3306, "pl-3"),
        permission("tcp", 30, 20, WORLD),
        group_id="sg-2",
    ),
]
REGION: dict[str, Any] = {
    "PrefixLists": [
        {"PrefixListId": "pl-2", "OwnerId": "AWS", "PrefixListName": CLOUDFRONT},
        {"PrefixListId": "pl-3", "OwnerId": "1", "Entries": [{"Cidr": "54.0.0.0/8"}]},
    ],
    "NetworkInterfaces": [
        interface("eni-1", groups=("sg-1", "sg-2"), public=PUBLIC_IPV4),
    ],
}
