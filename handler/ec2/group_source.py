"""Where the groups of a target are read from: EC2 or a snapshot."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from handler.model.network import (
    BlockPublicAccess,
    NetworkAcl,
    NetworkInterface,
    PrefixList,
    PrivateGroup,
    RouteTable,
    Rule,
    SecurityGroup,
)


class GroupSource(Protocol):
    """Where the groups of a target are read from: EC2 or a snapshot.

    By default a source has no load balancers, route tables or network ACLs.

    Every method raises one of ``aws.FAILURES``, or ``ValueError`` for an answer of unknown form.
    """

    hides_managed: bool = False
    """Whether interfaces that are managed by AWS services may be missing."""

    def security_groups(self) -> Iterator[SecurityGroup | PrivateGroup]:
        """All groups."""

    def prefix_lists(self, ids: Sequence[str]) -> Mapping[str, PrefixList]:
        """The prefix lists by id; one that cannot be read has an error."""

    def rule_ids(self, group_ids: Sequence[str]) -> Iterator[tuple[Rule, str]]:
        """The groups' inbound rules with their sgr- ids; may lack some, and contain others."""

    def interfaces(self, group_ids: Sequence[str]) -> Sequence[NetworkInterface] | None:
        """The network interfaces with any of the groups; None if they are not known."""

    def entry_points(self) -> tuple[NetworkInterface, ...] | None:
        """The network interfaces of network load balancers and accelerators."""
        return ()

    def route_tables(self) -> tuple[RouteTable, ...] | None:
        """All route tables; None if they are not known."""
        return ()

    def network_acls(self) -> tuple[NetworkAcl, ...] | None:
        """All network ACLs; None if they are not known."""
        return ()

    def block_public_access(self) -> BlockPublicAccess | None:
        """The setting of VPC Block Public Access; None if it is not known."""
        return BlockPublicAccess()
