"""The function's code as Pulumi uploads it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

_PROJECT = Path(__file__).resolve().parent.parent


def archive(policy: Mapping[str, Any]) -> pulumi.AssetArchive:
    """The zip's content: every Python file of handler/ under its own path, and policy.json.

    An explicit, sorted map rather than a folder: byte code that appears beside the sources would
    change the archive's hash and redeploy the function.
    """
    sources: dict[str, pulumi.Asset | pulumi.Archive] = {
        path.relative_to(_PROJECT).as_posix(): pulumi.FileAsset(str(path))
        for path in sorted((_PROJECT / "handler").rglob("*.py"))
    }
    sources["policy.json"] = pulumi.StringAsset(json.dumps(policy, indent=2, sort_keys=True))
    return pulumi.AssetArchive(sources)
