"""The engine's event stream, summed up as changes and errors."""

import json
import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Final

from google.protobuf.empty_pb2 import Empty
from pulumi.automation.events import EngineEvent, StepEventMetadata
from pulumi.runtime.proto import events_pb2_grpc

from sandbox.deployment.server import served
from sandbox.deployment.stack import Changes, ResourceName

_MARKUP: Final = re.compile(r"<\{%.*?%\}>")
# A reason names its subject without these words.
_WRAPPING: Final = re.compile(
    r"^(error: )?"
    r"(an unhandled error occurred: |python inline source runtime error: |validating stack config: "
    r"|\S+ resource '.*?': property .* has a problem: )?"
)
# What the engine adds after the diagnostics of a failure.
_SUMMARY: Final = re.compile(r"(preview|update|refresh|destroy) failed")
_VERBS: Final = {
    "create": "create",
    "create-replacement": "replace",
    "delete": "delete",
    "delete-replaced": "replace",
    "replace": "replace",
    "same": "same",
    "update": "update",
}


def serve(recorder: "Recorder") -> AbstractContextManager[int]:
    """Receive events while the context lasts; yields the port."""
    return served(events_pb2_grpc.add_EventsServicer_to_server, recorder)


class Recorder(events_pb2_grpc.EventsServicer):
    """Collects the events of one operation of the engine."""

    def __init__(self, *, completed: bool = False) -> None:
        """With ``completed`` the completed steps count, as for a refresh, not the planned ones."""
        self._completed = completed
        self._steps: dict[ResourceName, tuple[str, tuple[str, ...]]] = {}
        self.errors: list[str] = []

    def StreamEvents(self, request_iterator: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Receive the engine's events; the name is gRPC's."""
        for request in request_iterator:
            self._record_event(EngineEvent.from_json(json.loads(request.event)))
        return Empty()

    def changes(self) -> Changes:
        """The changes of the resources, each list sorted."""

        def resources_with(verb: str) -> Iterable[ResourceName]:
            return (resource for resource, (step, _) in self._steps.items() if step == verb)

        return Changes(
            **{verb: tuple(sorted(resources_with(verb))) for verb in sorted(set(_VERBS.values()))},
            properties={name: paths for name, (_, paths) in sorted(self._steps.items()) if paths},
        )

    def _record_event(self, event: EngineEvent) -> None:
        step = event.res_outputs_event if self._completed else event.resource_pre_event
        if step:
            self._record_step(step.metadata)
        diagnostic = event.diagnostic_event
        if diagnostic and diagnostic.severity == "error":
            message = without_markup(diagnostic.message)
            if message not in self.errors and not _SUMMARY.fullmatch(message):
                self.errors.append(message)

    def _record_step(self, step: StepEventMetadata) -> None:
        verb = _VERBS.get(step.op.value)
        if verb and not step.type.startswith("pulumi:"):
            resource = step.type, step.urn.split("::", 3)[3]
            paths = tuple(sorted(step.detailed_diff or step.diffs or ()))
            earlier_paths = self._steps.get(resource, ("", ()))[1]
            self._steps[resource] = verb, paths or earlier_paths


def error_text(errors: list[str], stderr: str) -> str:
    """The message of a failure: the diagnostics, else what the CLI wrote to standard error."""
    return "\n".join(errors) or _WRAPPING.sub("", stderr.strip())


def without_markup(message: str) -> str:
    """A diagnostic without the engine's colours and the words around its reason."""
    return _WRAPPING.sub("", _MARKUP.sub("", message).strip())
