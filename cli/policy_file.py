"""A policy in a JSON or YAML file."""

import json
from collections import Counter
from typing import Any

import yaml

from cli.errors import AuditError
from handler import clock
from handler.policy.policy import Policy
from handler.sanitize import plain


def read_policy(content: bytes) -> Policy:
    """The policy in a JSON or YAML file. Raises ``AuditError``."""
    try:
        document = _parse(content)
        return Policy.parse({} if document is None else document, clock.now().date())
    # PyYAML lets through what Python raises for odd numbers, and for tags that do not fit their
    # values.
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError) as error:
        reason = " ".join(str(error).split())
    except RecursionError:
        reason = "it is nested too deeply"
    message = f"the policy must be JSON or YAML that makes sense: {plain(reason)}"
    raise AuditError(message)


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
        message = f"the key {duplicate} is there twice"
        raise ValueError(message)
    return dict(pairs)


class _Loader(yaml.SafeLoader):
    """Leaves dates as they are written, and refuses duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 -- as PyYAML has it
        _unique_keys([(str(key.value), value) for key, value in node.value])
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
