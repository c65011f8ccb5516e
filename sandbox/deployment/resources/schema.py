"""The inputs and outputs of a resource type, read from the classes of pulumi_aws."""

import keyword
from functools import cache
from importlib import import_module

# Private in pulumi, but the only place that knows how an input is spelled outside Python.
from pulumi import _types


@cache
def inputs(type_name: str) -> frozenset[str]:
    """The names of a type's inputs as Pulumi spells them."""
    # If a part of another resource has the name, as BucketVersioningArgs, it is InitArgs.
    return frozenset(_types.input_type_types(_python_class(type_name, "InitArgs", "Args")))


@cache
def outputs(type_name: str) -> frozenset[str]:
    """The names of a type's outputs as Pulumi spells them."""
    return frozenset(_types.resource_types(_python_class(type_name, "")))


def _python_class(type_name: str, *suffixes: str) -> type:
    """The class of that name with the first of the suffixes that there is one for."""
    _, module, name = type_name.split(":")
    module = module.split("/")[0]
    python = f"{module}_" if keyword.iskeyword(module) else module
    # The module loads its classes on demand.
    classes = import_module(f"pulumi_aws.{python}")
    candidates = (getattr(classes, name + suffix, None) for suffix in suffixes)
    python_class = next(candidate for candidate in candidates if candidate is not None)
    assert isinstance(python_class, type)  # noqa: S101 - narrows what getattr gives
    return python_class
