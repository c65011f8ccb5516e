"""Creates, reads, updates and deletes resources of a program in the account."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.deployment.inputs import AUTO_NAMED, Settings
from sandbox.deployment.resources import RESOURCES, schema
from sandbox.deployment.resources.base import Place, RefusedError, Resource
from sandbox.deployment.resources.lookups import LOOKUPS
from sandbox.deployment.wire import UNKNOWN, Properties, UnreadableAssetError

Change: TypeAlias = Literal["add", "delete", "update"]

# The error codes of resources that do not exist.
GONE: Final = frozenset(
    {
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "NotFound",
        "NotFoundException",
        "OwnershipControlsNotFoundError",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
        "StackSetNotFoundException",
        "StateMachineDoesNotExist",
    }
)
FAILURES: Final = (BotoCoreError, ClientError, RefusedError, UnreadableAssetError)


class Account(Protocol):
    """The part of the sandbox's account that the provider uses."""

    @property
    def id(self) -> str:
        """The account's number."""

    def client(self, service: str, region: str) -> Any:
        """A boto3 client of the service in the region."""


class UnknownTypeError(Exception):
    """A resource type or data source that the sandbox does not have."""


class HalfCreatedError(Exception):
    """A resource exists, but not with all its inputs; the message says what went wrong."""

    def __init__(self, identity: str, outputs: Properties, reason: str) -> None:
        super().__init__(reason)
        self.identity = identity
        self.outputs = outputs


@dataclass(frozen=True, slots=True)
class Difference:
    """The changes of an update, by paths such as ``environment.variables.STACK``."""

    paths: Mapping[str, Change]
    changed: frozenset[str]
    replaces: frozenset[str]
    deletes_before_replace: bool

    def needs_replacement(self, path: str) -> bool:
        """Whether the change at this path needs another resource."""
        return re.split(r"[.\[]", path)[0] in self.replaces


def place(account: Account, service: str, region: str) -> Place:
    """The account in a region, with a client of the service."""
    return Place(account.id, region, account.client(service, region))


def kind_of(type_name: str) -> Resource:
    """The resource type of that name; raises ``UnknownTypeError``."""
    if type_name not in RESOURCES:
        names = ", ".join(sorted(RESOURCES))
        raise UnknownTypeError(f"The sandbox cannot create {type_name}; it knows {names}.")
    return RESOURCES[type_name]


def look_up(account: Account, settings: Settings, name: str, arguments: Properties) -> Properties:
    """The result of a data source; raises ``UnknownTypeError``."""
    if name not in LOOKUPS:
        names = ", ".join(sorted(LOOKUPS))
        raise UnknownTypeError(f"The sandbox cannot answer {name}; it knows {names}.")
    lookup = LOOKUPS[name]
    region = arguments.get("region") or settings.region
    return lookup.answer(place(account, lookup.service, region), arguments)


def difference(
    kind: Resource, outputs: Properties, old_inputs: Properties, inputs: Properties
) -> Difference:
    """How the program's inputs differ from the outputs of the resource."""
    paths: dict[str, Change] = {}
    changed = set()
    for name in sorted((set(inputs) | set(old_inputs) | set(kind.defaults)) - {AUTO_NAMED}):
        if name in kind.computed and name not in inputs:
            continue
        old = outputs.get(name)
        new = inputs.get(name, kind.defaults.get(name))
        if not _equal(kind, name, old, new):
            changed.add(name)
            paths.update(_paths(name, _none_if_empty(old), _none_if_empty(new)))
    replaces = frozenset(changed) & (kind.replaces | {"region"})
    auto = kind.auto_name
    is_named_by_program = bool(auto and auto.property not in inputs.get(AUTO_NAMED, ()))
    keeps_name = bool(auto and auto.property not in replaces)
    return Difference(
        paths, frozenset(changed), replaces, bool(replaces and is_named_by_program and keeps_name)
    )


def create(kind: Resource, place: Place, inputs: Properties) -> tuple[str, Properties]:
    """Create the resource; returns its id and its outputs. Raises ``HalfCreatedError``."""
    identity = kind.create(place, inputs)
    try:
        kind.complete(place, identity, inputs)
        return identity, _read_existing(kind, place, identity, inputs)
    except FAILURES as error:
        outputs = _read_partial(kind, place, identity, inputs)
        raise HalfCreatedError(identity, outputs, error_text(error)) from error


def read(kind: Resource, place: Place, identity: str, state: Properties) -> Properties | None:
    """The outputs of the resource in the account, None if it is gone."""
    live = _unless_gone(lambda: kind.read(place, identity, state))
    if live is None:
        return None
    # A value that AWS only formats in another way stays as the program wrote it.
    outputs = {
        **{name: value for name, value in state.items() if name != AUTO_NAMED},
        **{
            name: state[name] if name in state and _equal(kind, name, state[name], value) else value
            for name, value in live.items()
        },
    }
    if "tagsAll" in live:
        tags, all_tags = state.get("tags") or {}, state.get("tagsAll") or {}
        outputs["tags"] = {
            k: value for k, value in live["tagsAll"].items() if k in tags or k not in all_tags
        }
    return outputs


def update(
    kind: Resource,
    place: Place,
    identity: str,
    inputs: Properties,
    old_outputs: Properties,
    old_inputs: Properties,
) -> Properties:
    """Change the resource from its old outputs to the inputs; returns its new outputs."""
    changed = set(difference(kind, old_outputs, old_inputs, inputs).changed)
    if "tagsAll" in changed:
        outputs, tags = _read_existing(kind, place, identity, inputs), inputs["tagsAll"]
        if surplus := sorted(set(outputs["tagsAll"]) - set(tags)):
            kind.untag(place, outputs, surplus)
        if tags:
            kind.tag(place, outputs, tags)
    if changed := changed - {"tags", "tagsAll"}:
        kind.update(place, identity, inputs, changed)
    return _read_existing(kind, place, identity, inputs)


def delete(kind: Resource, place: Place, identity: str, state: Properties) -> None:
    """Delete the resource; one that is gone already is no error."""
    _unless_gone(lambda: kind.delete(place, identity, state))


def predicted(kind: Resource, inputs: Properties, old: Properties | None) -> Properties:
    """The outputs in a preview, from the old ones if any; UNKNOWN if only AWS can tell."""
    outputs = dict.fromkeys(schema.outputs(kind.type_name), UNKNOWN) if old is None else old
    declared = {name: value for name, value in inputs.items() if name != AUTO_NAMED}
    return {**outputs, **kind.defaults, **declared}


def error_text(error: Exception) -> str:
    """A failure in one sentence: the operation, the code and the message if AWS answered."""
    if isinstance(error, ClientError):
        problem = error.response["Error"]
        return f"{error.operation_name}: {problem['Code']}: {problem['Message']}"
    return str(error)


def _read_existing(kind: Resource, place: Place, identity: str, inputs: Properties) -> Properties:
    outputs = read(kind, place, identity, inputs)
    if outputs is None:
        raise RefusedError(f"{kind.type_name} {identity} is gone although nothing deleted it.")
    return outputs


def _read_partial(kind: Resource, place: Place, identity: str, inputs: Properties) -> Properties:
    """The outputs of a half-created resource; the next update sets the rest."""
    try:
        return _read_existing(kind, place, identity, inputs)
    except FAILURES:
        set_at_creation = kind.replaces | {"region"}
        return {name: value for name, value in inputs.items() if name in set_at_creation}


def _unless_gone(call: Callable[[], Properties | None]) -> Properties | None:
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        return None


def _equal(kind: Resource, name: str, left: Any, right: Any) -> bool:
    if name in kind.documents and isinstance(left, str) and isinstance(right, str):
        # AWS refuses what is no JSON.
        with suppress(ValueError):
            return bool(json.loads(left) == json.loads(right))
    # AWS does not tell an empty text, list or map from one that was never set.
    return bool(_none_if_empty(left) == _none_if_empty(right))


def _none_if_empty(value: Any) -> Any:
    return None if value in ("", [], {}) else value


def _paths(path: str, old: Any, new: Any) -> Iterator[tuple[str, Change]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(set(old) | set(new)):
            if old.get(key) != new.get(key) or (key in old) != (key in new):
                step = f".{key}" if key.isidentifier() else f'["{key}"]'
                yield from _paths(path + step, old.get(key), new.get(key))
    else:
        yield path, "add" if old is None else "delete" if new is None else "update"
