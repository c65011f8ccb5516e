"""The table of resource types that the sandbox can create."""

from typing import Final

from sandbox.resources.base import Resource
from sandbox.resources.events import EventRule, EventTarget
from sandbox.resources.functions import Function, FunctionEventInvokeConfig, Permission
from sandbox.resources.iam import Role, RolePolicy
from sandbox.resources.logs import LogGroup
from sandbox.resources.ses import EmailIdentity

RESOURCES: Final[dict[str, Resource]] = {
    kind.type_name: kind
    for kind in (
        EmailIdentity(),
        EventRule(),
        EventTarget(),
        Function(),
        FunctionEventInvokeConfig(),
        LogGroup(),
        Permission(),
        Role(),
        RolePolicy(),
    )
}
