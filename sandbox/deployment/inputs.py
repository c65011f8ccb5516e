"""Checks a program's inputs, and adds automatic names, regions and tags."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi_aws import Region

from sandbox.deployment.resources import schema
from sandbox.deployment.resources.base import Resource
from sandbox.deployment.wire import UNKNOWN, Properties

# An input that the engine stores: the names of the inputs that the program left out.
AUTO_NAMED: Final = "__defaults"
_SUFFIX_LENGTH: Final = 7


@dataclass(frozen=True, slots=True)
class Settings:
    """The provider's own configuration."""

    region: str
    default_tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> "Settings":
        """Read the provider's config; nested values come as JSON text.

        Raises ``ValueError`` with a sentence if there is no region or AWS has none of that name.
        """
        region = (
            config.get("region")
            or os.environ.get("AWS_REGION")
            or os.environ.get("AWS_DEFAULT_REGION")
        )
        if problem := region_problem(region):
            raise ValueError(problem)
        tags = config.get("defaultTags") or {}
        if isinstance(tags, str):
            tags = json.loads(tags)
        return cls(str(region), tags.get("tags") or {})


def region_problem(region: Any) -> str | None:
    """Why AWS would refuse the region; None if it may accept it."""
    if region is UNKNOWN or region in {member.value for member in Region}:
        return None
    return f"aws:region must be a region of AWS, for example eu-west-1, got {region!r}."


def problems(kind: Resource, name: str, inputs: Properties) -> Iterator[tuple[str, str]]:
    """Each input that the provider refuses, with a sentence that says why."""
    if "region" in inputs and (problem := region_problem(inputs["region"])):
        yield "region", problem
    for key in sorted(inputs.keys() - kind.inputs - {"region", "tagsAll", AUTO_NAMED}):
        yield key, f"The sandbox does not carry out the property {key} of {kind.type_name}."
    auto = kind.auto_name
    value = inputs.get(auto.property) if auto else None
    if auto and isinstance(value, str) and len(value) > auto.limit:
        yield (
            auto.property,
            (
                f"The {auto.property} of {kind.type_name} {name} may have {auto.limit} "
                f"characters, {value!r} has {len(value)}."
            ),
        )


def additions(
    kind: Resource, name: str, inputs: Properties, old: Properties, settings: Settings, seed: bytes
) -> Properties:
    """The inputs that the provider adds: a name, kept from the old ones, region and all tags."""
    added: Properties = {}
    if "region" in schema.inputs(kind.type_name):
        added["region"] = inputs.get("region") or settings.region
    if "tags" in kind.inputs:
        tags = inputs.get("tags") or {}
        added["tagsAll"] = UNKNOWN if tags is UNKNOWN else {**settings.default_tags, **tags}
    auto = kind.auto_name
    if auto and not inputs.get(auto.property):
        prefix = (inputs.get(auto.prefix) if auto.prefix else None) or f"{name}-"
        is_auto_named = auto.property in old.get(AUTO_NAMED, ())
        suffix = hashlib.sha256(seed).hexdigest()[:_SUFFIX_LENGTH]
        added[auto.property] = old[auto.property] if is_auto_named else prefix + suffix
        added[AUTO_NAMED] = [auto.property]
    return added
