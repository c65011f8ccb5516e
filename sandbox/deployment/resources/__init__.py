"""The table of resource types that the sandbox can create."""

from typing import Final

from sandbox.deployment.resources.base import Resource
from sandbox.deployment.resources.events import EventRule, EventTarget
from sandbox.deployment.resources.functions import Function, FunctionEventInvokeConfig, Permission
from sandbox.deployment.resources.iam import Role, RolePolicy
from sandbox.deployment.resources.logs import LogGroup
from sandbox.deployment.resources.ses import EmailIdentity

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
