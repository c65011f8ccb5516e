"""A policy in a JSON or YAML file."""

import json
from collections import Counter
from typing import Any

import yaml

from cli.errors import AuditError
from handler import clock
from handler.policy.policy import Policy
from handler.sanitize import describe, plain

_DUPLICATE = "duplicate key {}"


def read_policy(name: str, content: bytes) -> Policy:
    """The policy in a JSON or YAML file. Raises ``AuditError`` with the file's name."""
    try:
        document = _parse(content)
        return Policy.parse({} if document is None else document, clock.now().date())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        place, reason = f"{name}:{line}", error.problem or error.context
    # PyYAML lets through what Python raises for odd numbers, and for tags that do not fit their
    # values.
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError) as error:
        place, reason = name, " ".join(str(error).split())
    except RecursionError:
        place, reason = name, "it is nested too deeply"
    raise AuditError(plain(f"{place}: {reason}"))


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content, object_pairs_hook=_unique_keys)
    # Both are ValueErrors, and so is the error for a duplicate key.
    except (json.JSONDecodeError, UnicodeDecodeError):
        # An empty file is the default policy.
        return yaml.load(content, _Loader)  # noqa: S506 -- a subclass of SafeLoader


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as an object. Raises ``ValueError`` for a duplicate key."""
    keys = Counter(key for key, _ in pairs)
    if duplicate := next((key for key, number in keys.items() if number > 1), None):
        raise ValueError(_DUPLICATE.format(describe(duplicate)))
    return dict(pairs)


class _Loader(yaml.SafeLoader):
    """Leaves dates as they are written, and refuses duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 -- as PyYAML has it
        keys: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in keys:
                reason = _DUPLICATE.format(describe(key.value))
                raise yaml.constructor.ConstructorError(None, None, reason, key.start_mark)
            keys.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
