"""What the provider makes of a program's inputs: refusals, automatic names, regions and tags."""

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

# The engine keeps these inputs for us: the names that no program wrote.
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

        Raises ``ValueError``, a sentence, when there is no region or AWS has none of that name.
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
    """Why AWS would not take the region, None if it may."""
    if region is UNKNOWN or region in {known.value for known in Region}:
        return None
    return f"aws:region must be a region of AWS, for example eu-west-1, got {region!r}."


def problems(kind: Resource, name: str, inputs: Properties) -> Iterator[tuple[str, str]]:
    """Each input the provider refuses, with a sentence that says why."""
    if "region" in inputs and (problem := region_problem(inputs["region"])):
        yield "region", problem
    for key in sorted(inputs.keys() - kind.inputs - {"region", "tagsAll", AUTO_NAMED}):
        yield key, f"The sandbox does not carry out the property {key} of {kind.type_name}."
    auto = kind.auto_name
    called = inputs.get(auto.property) if auto else None
    if auto and isinstance(called, str) and len(called) > auto.limit:
        yield (
            auto.property,
            (
                f"The {auto.property} of {kind.type_name} {name} may have {auto.limit} "
                f"characters, {called!r} has {len(called)}."
            ),
        )


def additions(
    kind: Resource, name: str, inputs: Properties, olds: Properties, settings: Settings, seed: bytes
) -> Properties:
    """The inputs that the provider adds: an automatic name, the region and all the tags."""
    added: Properties = {}
    if "region" in schema.inputs(kind.type_name):
        added["region"] = inputs.get("region") or settings.region
    if "tags" in kind.inputs:
        own = inputs.get("tags") or {}
        added["tagsAll"] = UNKNOWN if own is UNKNOWN else {**settings.default_tags, **own}
    auto = kind.auto_name
    if auto and not inputs.get(auto.property):
        prefix = (inputs.get(auto.prefix) if auto.prefix else None) or f"{name}-"
        kept = auto.property in olds.get(AUTO_NAMED, ())
        suffix = hashlib.sha256(seed).hexdigest()[:_SUFFIX_LENGTH]
        added[auto.property] = olds[auto.property] if kept else prefix + suffix
        added[AUTO_NAMED] = [auto.property]
    return added
