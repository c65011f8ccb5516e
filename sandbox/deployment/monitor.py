"""A stack without the Pulumi engine: the SDK's mock monitor creates its resources.

It can only create and delete, because the engine computes the changes of an update.
"""
# ruff: noqa: N802 - the mock monitor's methods have the names of gRPC's

import asyncio
import contextvars
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any, Final

from google.protobuf.empty_pb2 import Empty
from pulumi.runtime import reset_options, run_in_stack, set_all_config
from pulumi.runtime.mocks import MockEngine, MockMonitor, MockSettings
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import configure

from sandbox.deployment import lifecycle, wire
from sandbox.deployment.inputs import Settings, additions, problems
from sandbox.deployment.lifecycle import Account, HalfCreatedError
from sandbox.deployment.project import Project
from sandbox.deployment.resources import base
from sandbox.deployment.stack import Changes, DeployError, ResourceName
from sandbox.deployment.wire import Properties

_STACK_TYPE: Final = "pulumi:pulumi:Stack"


class MonitorStack:
    """A stack that lives as long as this object does."""

    has_engine = False
    engine = "Pulumi's mock monitor (no Pulumi CLI; `make engine` builds one)"

    def __init__(self, project: Project, account: Account, say: Callable[[str], None]) -> None:
        """Prepare the stack; nothing runs yet."""
        self._account = account
        self._monitor: _Monitor | None = None
        self._project = project
        self._say = say

    def preview(self) -> Changes:
        """Always raises ``DeployError``, because only the engine computes changes."""
        raise DeployError(
            "A preview needs the Pulumi engine: install the Pulumi CLI, or `make engine`."
        )

    def up(self) -> Changes:
        """Create all that the program declares; possible once, until ``destroy``."""
        if self._monitor:
            raise DeployError(
                "The stack is up already, and to change it takes the Pulumi engine: "
                "install the Pulumi CLI, build one with `make engine`, or destroy the stack first."
            )
        config = self._project.complete_config()
        provider = {key.split(":")[1]: config[key] for key in config if key.startswith("aws:")}
        try:
            self._monitor = _Monitor(self._account, Settings.parse(provider), self._say)
        except ValueError as error:
            raise DeployError(str(error)) from error
        monitor = self._monitor
        try:
            contextvars.copy_context().run(self._run, monitor, config)
        except Exception as error:
            # The first error, because the later ones follow from it.
            raise DeployError(str(monitor.error or error)) from error
        created = sorted([*(item.declared for item in monitor.created), *monitor.components])
        return Changes(create=tuple(created))

    def refresh(self) -> Changes:
        """Always raises ``DeployError``, because only the engine computes differences."""
        raise DeployError(
            "A refresh needs the Pulumi engine: install the Pulumi CLI, or `make engine`."
        )

    def destroy(self) -> Changes:
        """Delete what ``up`` created, the last first."""
        monitor, deleted = self._monitor, list[ResourceName]()
        while monitor and monitor.created:
            item = monitor.created[-1]
            self._say(f"deleting {item.declared[0]} {item.declared[1]}")
            try:
                if not item.deleted_with:
                    lifecycle.delete(item.kind, item.place, item.identity, item.outputs)
            except lifecycle.FAILURES as error:
                raise DeployError(
                    f"deleting {item.declared[1]}: {lifecycle.error_text(error)}"
                ) from error
            deleted.append(monitor.created.pop().declared)
        if monitor:
            deleted += monitor.components
        self._monitor = None
        return Changes(delete=tuple(sorted(deleted)))

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs after the last ``up``."""
        return self._monitor.outputs if self._monitor else {}

    @property
    def resources(self) -> list[tuple[str, str, str]]:
        """The type, logical name and id of every resource that the stack has in the account."""
        created = self._monitor.created if self._monitor else []
        return sorted((*item.declared, item.identity) for item in created)

    def _run(self, monitor: "_Monitor", config: Mapping[str, Any]) -> None:
        project, stack = self._project.name, self._project.stack
        reset_options(project, stack, preview=False)
        configure(
            MockSettings(  # type: ignore[no-untyped-call]
                project=project,
                stack=stack,
                monitor=monitor,
                engine=MockEngine(None),
                dry_run=False,
                organization="organization",
                callbacks=None,
            )
        )
        set_all_config({key: _text(value) for key, value in config.items()})
        asyncio.run(run_in_stack(self._project.run))


@dataclass(frozen=True, slots=True)
class _CreatedResource:
    declared: ResourceName
    kind: base.Resource
    place: base.Place
    identity: str
    outputs: Properties
    deleted_with: str
    """The URN of the resource whose deletion deletes it, empty if there is none."""


class _Monitor(MockMonitor):
    """Answers the program as the engine does on the first deployment."""

    def __init__(self, account: Account, settings: Settings, say: Callable[[str], None]) -> None:
        # The methods of the base class that use the mocks are not called.
        super().__init__(None)  # type: ignore[arg-type]
        self._account = account
        self._settings = settings
        self._say = say
        # The program waits for what a resource needs, so the order of creation is a valid one.
        self._lock = Lock()
        self.components: list[ResourceName] = []
        self.error: Exception | None = None
        self.created: list[_CreatedResource] = []
        self.outputs: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        if not request.custom:
            if request.type != _STACK_TYPE:
                self.components.append((request.type, request.name))
            return resource_pb2.RegisterResourceResponse(urn=urn)
        with self._lock:
            try:
                created = self._create(request)
            except (
                HalfCreatedError,
                lifecycle.UnknownTypeError,
                DeployError,
                *lifecycle.FAILURES,
            ) as error:
                self.error = self.error or DeployError(
                    f"creating {request.name}: {lifecycle.error_text(error)}"
                )
                raise
        secret = wire.secret_names(request.object)
        answer = wire.encode(created.outputs, secret)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=created.identity, object=answer)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if request.urn.split("::")[2] == _STACK_TYPE:
            self.outputs = wire.decode(request.outputs)
        return Empty()

    def Invoke(self, request: Any) -> Any:
        arguments = wire.decode(request.args)
        answer = lifecycle.look_up(self._account, self._settings, request.tok, arguments)
        # The field has the name of a keyword.
        returned: dict[str, Any] = {"return": wire.encode(answer)}
        return resource_pb2.ResourceInvokeResponse(**returned)

    def _create(self, request: Any) -> _CreatedResource:
        kind = lifecycle.kind_of(request.type)
        inputs = wire.decode(request.object)
        seed = os.urandom(16)
        inputs |= additions(kind, request.name, inputs, {}, self._settings, seed)
        if reasons := [reason for _, reason in problems(kind, request.name, inputs)]:
            raise DeployError(" ".join(reasons))
        self._say(f"creating {request.type} {request.name}")
        region = inputs.get("region") or self._settings.region
        place = lifecycle.place(self._account, kind.service, region)
        try:
            identity, outputs = lifecycle.create(kind, place, inputs)
        except HalfCreatedError as error:
            self._record(request, kind, place, (error.identity, error.outputs))
            raise
        return self._record(request, kind, place, (identity, outputs))

    def _record(
        self, request: Any, kind: base.Resource, place: base.Place, created: tuple[str, Properties]
    ) -> _CreatedResource:
        declared = request.type, request.name
        self.created.append(_CreatedResource(declared, kind, place, *created, request.deletedWith))
        return self.created[-1]


def _text(value: Any) -> str:
    """A config value as the engine hands it to a program: text as it is, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=_time)


def _time(value: date) -> str:
    """A date without quotes as the engine prints it."""
    return f"{value:%Y-%m-%d} 00:00:00 +0000 UTC"
