"""``python -m tools.service_models``: cuts botocore's service models down to what the handler uses.

boto3 takes longer to load the models of all of EC2's and S3's operations than a small account
takes to audit. They are written to handler/service_models/, from the installed botocore.
"""

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

HANDLER = Path(__file__).resolve().parent.parent / "handler"
MODELS = HANDLER / "service_models"
OPERATIONS = {
    "cloudtrail": ("LookupEvents",),
    "ec2": (
        "DescribeManagedPrefixLists",
        "DescribeNetworkAcls",
        "DescribeNetworkInterfaces",
        "DescribeRegions",
        "DescribeRouteTables",
        "DescribeSecurityGroupRules",
        "DescribeSecurityGroups",
        "DescribeVpcBlockPublicAccessExclusions",
        "DescribeVpcBlockPublicAccessOptions",
        "GetManagedPrefixListEntries",
    ),
    "events": ("PutEvents",),
    "organizations": (
        "ListAccounts",
        "ListAccountsForParent",
        "ListOrganizationalUnitsForParent",
    ),
    "s3": ("GetObject", "PutObject"),
    "sesv2": ("SendEmail",),
    "stepfunctions": ("StartExecution",),
    "sts": ("AssumeRole", "GetCallerIdentity"),
}
"""The operations that the handler calls, by service."""
_REGIONAL_DATA = ("endpoints", "partitions", "sdk-default-configuration")

Json = dict[str, Any]


def service_models() -> Iterator[tuple[str, Json]]:
    """Path without suffix and content of each file, as botocore's loader looks for it."""
    loader = Loader()
    prefixes = {"cloudtrail", "ec2", "email", "events", "organizations", "s3", "states", "sts"}
    for name in _REGIONAL_DATA:
        data = loader.load_data(name)
        for partition in data["partitions"] if name == "endpoints" else ():
            services = partition["services"]
            partition["services"] = {key: services[key] for key in services if key in prefixes}
        yield name, data
    # An odd number in an outbound rule is refused, although none is needed.
    names = _names_in(HANDLER / "ec2") | {"IpPermissionsEgress"}
    for service, operations in OPERATIONS.items():
        version = loader.determine_latest_version(service, "service-2")
        folder = f"{service}/{version}"
        model = loader.load_service_model(service, "service-2", version)
        # EC2's answers are long, and botocore reads no member that the model does not have.
        yield f"{folder}/service-2", _cut(model, operations, names if service == "ec2" else None)
        yield f"{folder}/endpoint-rule-set-1", loader.load_data(f"{folder}/endpoint-rule-set-1")
        pages = loader.load_data(f"{folder}/paginators-1")["pagination"]
        pages = {name: page for name, page in pages.items() if name in operations}
        yield f"{folder}/paginators-1", {"pagination": pages}


def text_of(data: Json) -> str:
    """The content of a file."""
    return json.dumps(data, separators=(",", ":")) + "\n"


def _cut(model: Json, operations: Iterable[str], names: set[str] | None) -> Json:
    """The model with these operations, and in structures the members with these names only."""
    operation_models = {name: _undocumented(model["operations"][name]) for name in operations}
    shapes: Json = {}
    waiting = list(_shapes_in(operation_models))
    while waiting:
        name = waiting.pop()
        if name in shapes:
            continue
        shape = _undocumented(model["shapes"][name])
        if names is not None and "members" in shape:
            members = shape["members"]
            shape["members"] = {
                member: members[member]
                for member in members
                if member in names or member in shape.get("required", ())
            }
        shapes[name] = shape
        waiting += _shapes_in(shape)
    fields = {
        key: model[key] for key in model if key not in {"documentation", "operations", "shapes"}
    }
    return {**fields, "operations": operation_models, "shapes": dict(sorted(shapes.items()))}


def _undocumented(value: Any) -> Any:
    if isinstance(value, Mapping):
        # A member may have that name.
        return {
            key: _undocumented(entry)
            for key, entry in value.items()
            if key != "documentation" or not isinstance(entry, str)
        }
    return list(map(_undocumented, value)) if isinstance(value, list) else value


def _shapes_in(value: Any) -> Iterator[str]:
    """The names of the shapes that a part of a model refers to."""
    for key, entry in value.items() if isinstance(value, Mapping) else ():
        if key == "shape" and isinstance(entry, str):
            yield entry
        yield from _shapes_in(entry)
    for entry in value if isinstance(value, list) else ():
        yield from _shapes_in(entry)


def _names_in(folder: Path) -> set[str]:
    """Every text and keyword in the code: what it may read of an answer, or ask for."""
    nodes = [
        node
        for path in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    keywords = {node.arg for node in nodes if isinstance(node, ast.keyword)}
    return {name for name in texts | keywords if isinstance(name, str)}


def main() -> None:
    """Write the files."""
    for name, data in service_models():
        path = MODELS / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(data), encoding="utf-8")


if __name__ == "__main__":
    main()
