"""StackSets with organizational units as targets, which moto does not keep up to date."""

from typing import Any

from moto.backends import get_backend
from werkzeug.wrappers import Response

from sandbox.aws.organization import active_accounts, management_account_of
from sandbox.aws.protocol import Operation

# By account, region and name of a stack set: the units it is deployed to, and the regions there.
_Targets = dict[tuple[str, str, str], tuple[frozenset[str], tuple[str, ...]]]


class StackSets:
    """Deploys stack sets to the members of units, and keeps them so when members join or leave.

    As in AWS the management account and accounts that are not active get no stack.
    """

    def __init__(self) -> None:
        self._targets: _Targets = {}

    def serve(self, operation: Operation) -> Response | None:
        """Answer CreateStackInstances and DeleteStackInstances for units; None for others."""
        name = operation.parameters["StackSetName"].partition(":")[0]
        targets = operation.parameters.get("DeploymentTargets", {})
        units = frozenset(targets.get("OrganizationalUnitIds", ()))
        if not units:
            return None
        key = (operation.account, operation.region, name)
        old, _ = self._targets.get(key, (frozenset[str](), ()))
        new = old | units if operation.name == "CreateStackInstances" else old - units
        self._targets[key] = new, tuple(operation.parameters["Regions"])
        self.deploy()
        if not new:
            del self._targets[key]
        operations = self._backend(key).list_stack_set_operations(name)
        return operation.answer({"OperationId": operations[-1]["OperationId"]})

    def deploy(self) -> None:
        """Bring every stack set to the accounts that are in its units, and to no others."""
        for key, (units, regions) in self._targets.items():
            name = key[2]
            members = {account for unit in units for account in active_accounts(key[0], unit)}
            members.discard(management_account_of(key[0]))
            backend = self._backend(key)
            deployed = {item["Account"] for item in backend.list_stack_instances(name)}
            backend.delete_stack_instances(name, sorted(deployed - members), list(regions))
            backend.create_stack_instances(
                name, sorted(members), list(regions), [], {"OrganizationalUnitIds": []}
            )

    def _backend(self, key: tuple[str, str, str]) -> Any:
        return get_backend("cloudformation")[key[0]][key[1]]
