"""What pulumi_aws's own classes say about a resource type: its inputs, outputs and types."""

import inspect
import keyword
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, get_args

# Private in pulumi, but the only place that knows how an input is spelled outside Python.
from pulumi import _types

from sandbox.deployment.wire import Properties


@cache
def arguments(type_name: str) -> type:
    """The class of a type's inputs, for example ``RoleArgs`` for ``aws:iam/role:Role``."""
    # Where a part of another resource has the name, as BucketVersioningArgs, it is InitArgs.
    return _python_class(type_name, "InitArgs", "Args")


@cache
def inputs(type_name: str) -> frozenset[str]:
    """The names of a type's inputs as Pulumi spells them."""
    return frozenset(_types.input_type_types(arguments(type_name)))


@cache
def outputs(type_name: str) -> frozenset[str]:
    """The names of a type's outputs as Pulumi spells them."""
    return frozenset(_types.resource_types(_python_class(type_name, "")))


def problems(type_name: str, properties: Properties) -> Iterator[tuple[str, str]]:
    """Each unknown or missing property of the inputs: its path and what is wrong with it."""
    yield from _problems(type_name, arguments(type_name), properties, "")


def _python_class(type_name: str, *suffixes: str) -> type:
    """The class of that name with the first of the suffixes that there is one for."""
    _, module, name = type_name.split(":")
    module = module.split("/")[0]
    python = f"{module}_" if keyword.iskeyword(module) else module
    # It loads its classes when they are asked for.
    classes = import_module(f"pulumi_aws.{python}")
    named = (getattr(classes, name + suffix, None) for suffix in suffixes)
    found = next(candidate for candidate in named if candidate is not None)
    assert isinstance(found, type)  # noqa: S101 - narrows what getattr gives
    return found


def _problems(
    type_name: str, cls: type, properties: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str]]:
    types = _types.input_type_types(cls)
    for name, value in properties.items():
        if name not in types:
            yield path + name, f"{type_name} has no property {path + name}."
        elif (nested := _nested(types[name])) is not None:
            for position, item in enumerate(value if isinstance(value, list) else [value]):
                where = f"{path}{name}[{position}]" if isinstance(value, list) else path + name
                if isinstance(item, Mapping):
                    yield from _problems(type_name, nested, item, f"{where}.")
    for name in _required(cls):
        if properties.get(name) is None:
            yield path + name, f"{type_name} needs the property {path + name}."


def _required(cls: type) -> list[str]:
    spelled = _types.input_type_py_to_pulumi_names(cls)
    parameters = list(inspect.signature(cls).parameters.values())
    return [spelled[p.name] for p in parameters if p.default is inspect.Parameter.empty]


def _nested(annotation: Any) -> type | None:
    """The class of nested inputs in an annotation; None where a string would do as well."""
    if _types.is_input_type(annotation):
        return annotation  # type: ignore[no-any-return]
    if str in get_args(annotation):
        return None
    return next((n for arg in get_args(annotation) if (n := _nested(arg))), None)
