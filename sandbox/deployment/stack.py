"""What a deployed stack is to the rest of the sandbox, whatever deploys it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

Resource: TypeAlias = tuple[str, str]
"""A resource as the program declares it: its type and its logical name."""


class DeployError(Exception):
    """A stack could not be previewed or changed; the message is what Pulumi tells its user."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What an operation does, or would do, to each resource; components count, the stack not.

    ``properties`` holds, for every resource that differs, the paths that do
    (``environment.variables.STACK``).
    """

    create: tuple[Resource, ...] = ()
    update: tuple[Resource, ...] = ()
    replace: tuple[Resource, ...] = ()
    delete: tuple[Resource, ...] = ()
    same: tuple[Resource, ...] = ()
    properties: Mapping[Resource, tuple[str, ...]] = field(default_factory=dict)


class Stack(Protocol):
    """A stack of the project in the account; every verb raises ``DeployError``.

    ``has_engine`` says whether the real engine works behind it: only that one can preview, change
    what is there, and see drift.
    """

    engine: str
    has_engine: bool

    def preview(self) -> Changes:
        """What ``up`` would do; the account stays as it is."""

    def up(self) -> Changes:
        """Bring the account to what the program says."""

    def refresh(self) -> Changes:
        """Read what the account holds; the result is what differs from what was deployed."""

    def destroy(self) -> Changes:
        """Delete everything the stack created."""

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs after the last ``up``."""

    @property
    def resources(self) -> list[tuple[str, str, str]]:
        """The type, logical name and id of every resource that the stack has in the account."""
