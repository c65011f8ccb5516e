"""The function's deployment package, as Pulumi uploads it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

_PROJECT = Path(__file__).resolve().parent.parent


def build_archive(
    policy: Mapping[str, Any], organization: Mapping[str, Any] | None
) -> pulumi.AssetArchive:
    """Every file of handler/ under its own path, and the stack's policy as policy.json.

    With an ``organization`` to audit it is organization.json.

    The files are listed one by one, sorted: an archive of the folder would contain byte code,
    whose changes would redeploy the function.
    """
    files: dict[str, pulumi.Asset | pulumi.Archive] = {
        path.relative_to(_PROJECT).as_posix(): pulumi.FileAsset(str(path))
        for suffix in ("py", "json")
        for path in sorted((_PROJECT / "handler").rglob(f"*.{suffix}"))
    }
    files["policy.json"] = _json_file(policy)
    if organization is not None:
        files["organization.json"] = _json_file(organization)
    return pulumi.AssetArchive(files)


def _json_file(content: Mapping[str, Any]) -> pulumi.StringAsset:
    return pulumi.StringAsset(json.dumps(content, indent=2, sort_keys=True))
