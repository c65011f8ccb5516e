"""StackSets with organizational units as targets: moto only creates, and one level deep."""

from typing import Any

from moto.backends import get_backend
from werkzeug.wrappers import Response

from sandbox.aws.organization import active_accounts, management_account_of
from sandbox.aws.protocol import Operation

# By account, region and name of a stack set: the units it is deployed to, and the regions there.
_Targets = dict[tuple[str, str, str], tuple[frozenset[str], tuple[str, ...]]]


class StackSets:
    """Deploys stack sets to the members of units, also to those that come or leave later.

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
        place = (operation.account, operation.region, name)
        known, _ = self._targets.get(place, (frozenset[str](), ()))
        left = known | units if operation.name == "CreateStackInstances" else known - units
        self._targets[place] = left, tuple(operation.parameters["Regions"])
        self.deploy()
        if not left:
            del self._targets[place]
        operations = self._backend(place).list_stack_set_operations(name)
        return operation.answer({"OperationId": operations[-1]["OperationId"]})

    def deploy(self) -> None:
        """Bring every stack set to the accounts that are in its units, and to no others."""
        for place, (units, regions) in self._targets.items():
            name = place[2]
            wanted = {account for unit in units for account in active_accounts(place[0], unit)}
            wanted.discard(management_account_of(place[0]))
            backend = self._backend(place)
            present = {item["Account"] for item in backend.list_stack_instances(name)}
            backend.delete_stack_instances(name, sorted(present - wanted), list(regions))
            backend.create_stack_instances(
                name, sorted(wanted), list(regions), [], {"OrganizationalUnitIds": []}
            )

    def _backend(self, place: tuple[str, str, str]) -> Any:
        return get_backend("cloudformation")[place[0]][place[1]]
