"""The base class of the sandbox's resource types."""
# ruff: noqa: ARG002 - the base class uses few of its arguments

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sandbox.deployment.wire import Properties


class RefusedError(Exception):
    """AWS answered without an error but did not do it; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """The account and region of a resource, and a client of its service there."""

    account: str
    region: str
    client: Any

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of a regional service."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True, slots=True)
class AutoName:
    """The property that gets the logical name and a suffix if the program leaves it out."""

    property: str
    limit: int
    prefix: str | None = None  # the property that replaces the logical name, for example namePrefix


class Resource(ABC):
    """A resource type: its facts as class attributes, and four verbs against the account.

    Inputs and outputs are spelled as pulumi_aws spells them on the wire (``memorySize``). The
    facts (what replaces, what has a default) are those of the Terraform AWS provider, which the
    real plugin wraps. An id is the one that ``pulumi import`` takes.
    """

    type_name: ClassVar[str]
    service: ClassVar[str]
    """The service as boto3 spells it."""
    inputs: ClassVar[frozenset[str]]
    """The inputs the sandbox carries out; any other one is refused rather than ignored."""
    replaces: ClassVar[frozenset[str]] = frozenset()
    """The inputs that AWS cannot change."""
    defaults: ClassVar[Mapping[str, Any]] = {}
    """The values of inputs that the program leaves out."""
    computed: ClassVar[frozenset[str]] = frozenset()
    """The inputs that AWS sets if the program leaves them out; then they are no difference."""
    documents: ClassVar[frozenset[str]] = frozenset()
    """The inputs that hold JSON, equal whatever its layout."""
    auto_name: ClassVar[AutoName | None] = None
    arn_parameter: ClassVar[str] = "ResourceARN"
    """The service's name for the ARN of the resource to tag."""

    @abstractmethod
    def create(self, place: Place, inputs: Properties) -> str:
        """Create it in one call that succeeds or leaves nothing behind; returns its id."""

    def complete(self, place: Place, identity: str, inputs: Properties) -> None:  # noqa: B027 - most have nothing to do
        """Set what the first call cannot; if that fails, the resource is half-created."""

    @abstractmethod
    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        """The outputs, None if it is gone; ``state`` are inputs or older outputs."""

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        """Apply the inputs; ``changed`` has neither tags nor anything in ``replaces``."""
        raise RefusedError(f"{self.type_name} cannot change {', '.join(sorted(changed))} in place.")

    @abstractmethod
    def delete(self, place: Place, identity: str, state: Properties) -> None:
        """Delete it; an error that says it is gone already may pass through."""

    def tag(self, place: Place, state: Properties, tags: dict[str, str]) -> None:
        """Set these tags."""
        place.client.tag_resource(**{self.arn_parameter: state["arn"]}, Tags=pairs(tags))

    def untag(self, place: Place, state: Properties, names: list[str]) -> None:
        """Remove the tags of these names."""
        place.client.untag_resource(**{self.arn_parameter: state["arn"]}, TagKeys=names)


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def from_pairs(tags: list[dict[str, str]]) -> dict[str, str]:
    """Tags as most services give them, as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def pascal(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values with AWS's spelling of the names: ``logGroup`` becomes ``LogGroup``."""
    return {name[0].upper() + name[1:]: value for name, value in values.items()}


def camel(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values with Pulumi's spelling of the names: ``LogGroup`` becomes ``logGroup``."""
    return {name[0].lower() + name[1:]: value for name, value in values.items()}


def select(inputs: Properties, *names: str) -> Properties:
    """The inputs with these names that have a value."""
    return {name: inputs[name] for name in names if inputs.get(name) is not None}


def declared_part(live: Properties, declared: Properties | None) -> Properties | None:
    """The keys of a nested object that the program declares, all if it declares none."""
    if not live:
        return None
    return {name: value for name, value in live.items() if declared is None or name in declared}
