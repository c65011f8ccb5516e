"""The interface of a stack, which the engine or the mock monitor deploys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

ResourceName: TypeAlias = tuple[str, str]
"""The type and the logical name of a resource in the program."""


class DeployError(Exception):
    """A stack could not be previewed or changed; the message is what Pulumi tells its user."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of an operation by resource, components included, the stack itself not.

    ``properties`` has the changed paths of each resource (``environment.variables.STACK``).
    """

    create: tuple[ResourceName, ...] = ()
    update: tuple[ResourceName, ...] = ()
    replace: tuple[ResourceName, ...] = ()
    delete: tuple[ResourceName, ...] = ()
    same: tuple[ResourceName, ...] = ()
    properties: Mapping[ResourceName, tuple[str, ...]] = field(default_factory=dict)


class Stack(Protocol):
    """A stack of the project in the account; an operation may raise ``DeployError``.

    ``has_engine`` is whether the real engine deploys it: only that one can preview, update and
    refresh.
    """

    engine: str
    has_engine: bool

    def preview(self) -> Changes:
        """What ``up`` would change."""

    def up(self) -> Changes:
        """Deploy the program."""

    def refresh(self) -> Changes:
        """Read the account; returns what differs from the last deployment."""

    def destroy(self) -> Changes:
        """Delete everything the stack created."""

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs after the last ``up``."""

    @property
    def resources(self) -> list[tuple[str, str, str]]:
        """The type, logical name and id of every resource that the stack has in the account."""
