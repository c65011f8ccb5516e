"""What happens to a resource between the program and the account, whoever runs the program."""

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

# What AWS says of a thing that is not there (any more).
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
    """What the sandbox's account gives to the provider."""

    @property
    def id(self) -> str:
        """The account's number."""

    def client(self, service: str, region: str) -> Any:
        """A boto3 client of the service in the region."""


class UnknownTypeError(Exception):
    """A resource type or data source that the sandbox does not have."""


class HalfCreatedError(Exception):
    """A resource exists, but not as it was asked for; the message says what went wrong."""

    def __init__(self, identity: str, outputs: Properties, reason: str) -> None:
        super().__init__(reason)
        self.identity = identity
        self.outputs = outputs


@dataclass(frozen=True, slots=True)
class Difference:
    """What an update would change: paths such as ``environment.variables.STACK``."""

    paths: Mapping[str, Change]
    changed: frozenset[str]
    replaces: frozenset[str]
    delete_first: bool

    def replaced(self, path: str) -> bool:
        """Whether the change at this path needs another resource."""
        return re.split(r"[.\[]", path)[0] in self.replaces


def place(account: Account, service: str, region: str) -> Place:
    """The account in a region, ready to call a service."""
    return Place(account.id, region, account.client(service, region))


def kind_of(type_name: str) -> Resource:
    """The resource type of that name; raises ``UnknownTypeError``."""
    if type_name not in RESOURCES:
        known = ", ".join(sorted(RESOURCES))
        raise UnknownTypeError(f"The sandbox cannot create {type_name}; it knows {known}.")
    return RESOURCES[type_name]


def look_up(account: Account, settings: Settings, name: str, arguments: Properties) -> Properties:
    """What a data source answers; raises ``UnknownTypeError``."""
    if name not in LOOKUPS:
        known = ", ".join(sorted(LOOKUPS))
        raise UnknownTypeError(f"The sandbox cannot answer {name}; it knows {known}.")
    lookup = LOOKUPS[name]
    region = arguments.get("region") or settings.region
    return lookup.answer(place(account, lookup.service, region), arguments)


def difference(
    kind: Resource, olds: Properties, old_inputs: Properties, news: Properties
) -> Difference:
    """What differs between what is there (``olds``, its outputs) and what the program wants."""
    paths: dict[str, Change] = {}
    changed = set()
    for name in sorted((set(news) | set(old_inputs) | set(kind.defaults)) - {AUTO_NAMED}):
        if name in kind.chosen and name not in news:
            continue
        old = olds.get(name)
        new = news.get(name, kind.defaults.get(name))
        if not _same(kind, name, old, new):
            changed.add(name)
            paths.update(_paths(name, _given(old), _given(new)))
    replaces = frozenset(changed) & (kind.replaces | {"region"})
    auto = kind.auto_name
    named_by_program = bool(auto and auto.property not in news.get(AUTO_NAMED, ()))
    keeps_name = bool(auto and auto.property not in replaces)
    return Difference(
        paths, frozenset(changed), replaces, bool(replaces and named_by_program and keeps_name)
    )


def create(kind: Resource, place: Place, inputs: Properties) -> tuple[str, Properties]:
    """Create the resource; the result is its id and its outputs. Raises ``HalfCreatedError``."""
    identity = kind.create(place, inputs)
    try:
        kind.complete(place, identity, inputs)
        return identity, _present(kind, place, identity, inputs)
    except FAILURES as error:
        held = _held(kind, place, identity, inputs)
        raise HalfCreatedError(identity, held, error_text(error)) from error


def read(kind: Resource, place: Place, identity: str, known: Properties) -> Properties | None:
    """The outputs of the resource as the account holds it, None when it is gone."""
    live = _unless_gone(lambda: kind.read(place, identity, known))
    if live is None:
        return None
    # What AWS lays out differently stays as the program wrote it: it is no change.
    outputs = {
        **{name: value for name, value in known.items() if name != AUTO_NAMED},
        **{
            name: known[name] if name in known and _same(kind, name, known[name], value) else value
            for name, value in live.items()
        },
    }
    if "tagsAll" in live:
        own, default = known.get("tags") or {}, known.get("tagsAll") or {}
        outputs["tags"] = {
            key: value for key, value in live["tagsAll"].items() if key in own or key not in default
        }
    return outputs


def update(
    kind: Resource,
    place: Place,
    identity: str,
    news: Properties,
    olds: Properties,
    old_inputs: Properties,
) -> Properties:
    """Change the resource from its old outputs to the inputs; the result is its outputs."""
    changed = set(difference(kind, olds, old_inputs, news).changed)
    if "tagsAll" in changed:
        held, wanted = _present(kind, place, identity, news), news["tagsAll"]
        if surplus := sorted(set(held["tagsAll"]) - set(wanted)):
            kind.untag(place, held, surplus)
        if wanted:
            kind.tag(place, held, wanted)
    if changed := changed - {"tags", "tagsAll"}:
        kind.update(place, identity, news, changed)
    return _present(kind, place, identity, news)


def delete(kind: Resource, place: Place, identity: str, known: Properties) -> None:
    """Delete the resource; that it is gone already is as good."""
    _unless_gone(lambda: kind.delete(place, identity, known))


def expected(kind: Resource, inputs: Properties, olds: Properties | None) -> Properties:
    """The outputs that a preview can foretell; UNKNOWN where only AWS will say."""
    outputs = dict.fromkeys(schema.outputs(kind.type_name), UNKNOWN) if olds is None else olds
    given = {name: value for name, value in inputs.items() if name != AUTO_NAMED}
    return {**outputs, **kind.defaults, **given}


def error_text(error: Exception) -> str:
    """A failure in one sentence: the operation, the code and the message if AWS answered."""
    if isinstance(error, ClientError):
        problem = error.response["Error"]
        return f"{error.operation_name}: {problem['Code']}: {problem['Message']}"
    return str(error)


def _present(kind: Resource, place: Place, identity: str, inputs: Properties) -> Properties:
    outputs = read(kind, place, identity, inputs)
    if outputs is None:
        raise RefusedError(f"{kind.type_name} {identity} is gone although nothing deleted it.")
    return outputs


def _held(kind: Resource, place: Place, identity: str, inputs: Properties) -> Properties:
    """What there is of a half-created resource; the rest is what the next update will do."""
    try:
        return _present(kind, place, identity, inputs)
    except FAILURES:
        certain = kind.replaces | {"region"}
        return {name: value for name, value in inputs.items() if name in certain}


def _unless_gone(call: Callable[[], Properties | None]) -> Properties | None:
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        return None


def _same(kind: Resource, name: str, one: Any, other: Any) -> bool:
    if name in kind.documents and isinstance(one, str) and isinstance(other, str):
        # What is no JSON is AWS's to refuse.
        with suppress(ValueError):
            return bool(json.loads(one) == json.loads(other))
    # AWS does not tell an empty text, list or map from one that was never given.
    return bool(_given(one) == _given(other))


def _given(value: Any) -> Any:
    return None if value in ("", [], {}) else value


def _paths(path: str, old: Any, new: Any) -> Iterator[tuple[str, Change]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(set(old) | set(new)):
            if old.get(key) != new.get(key) or (key in old) != (key in new):
                step = f".{key}" if key.isidentifier() else f'["{key}"]'
                yield from _paths(path + step, old.get(key), new.get(key))
    else:
        yield path, "add" if old is None else "delete" if new is None else "update"
