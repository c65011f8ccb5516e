"""The AWS provider that the Pulumi engine attaches to: gRPC in front of the lifecycle."""
# ruff: noqa: ARG002, D102, N802 - pulumi's provider.proto names and describes these methods

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import metadata
from typing import Any, Final

import grpc
import pulumi_aws
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi import _types
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.deployment import lifecycle, wire
from sandbox.deployment.inputs import Settings, additions, problems
from sandbox.deployment.lifecycle import Account, HalfCreatedError
from sandbox.deployment.resources.base import Place, Resource
from sandbox.deployment.server import served
from sandbox.deployment.wire import Properties

_DIFFERENCE: Final = provider_pb2.PropertyDiff
_KINDS: Final = {
    ("add", False): _DIFFERENCE.ADD,
    ("add", True): _DIFFERENCE.ADD_REPLACE,
    ("delete", False): _DIFFERENCE.DELETE,
    ("delete", True): _DIFFERENCE.DELETE_REPLACE,
    ("update", False): _DIFFERENCE.UPDATE,
    ("update", True): _DIFFERENCE.UPDATE_REPLACE,
}
# The settings that the engine adds to a provider's configuration.
_ENGINE_SETTINGS: Final = frozenset({"version", "pluginDownloadURL"})


def serve(account: Account) -> AbstractContextManager[int]:
    """Serve the provider while the context lasts; the result is the port."""
    return served(provider_pb2_grpc.add_ResourceProviderServicer_to_server, Provider(account))


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Decodes each of the engine's calls, hands it to the lifecycle and encodes the answer."""

    def __init__(self, account: Account) -> None:
        self._account = account
        # Every provider of a program (the default one, explicit ones) has its own connection.
        self._settings: dict[str, Settings] = {}

    def Attach(self, request: Any, context: Any) -> Any:
        return Empty()

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi-aws"))

    def CheckConfig(self, request: Any, context: Any) -> Any:
        names = _types.input_type_types(pulumi_aws.ProviderArgs).keys() | _ENGINE_SETTINGS
        config = wire.decode(request.news)
        failures = [(name, f"aws has no setting {name}.") for name in sorted(set(config) - names)]
        try:
            Settings.parse(config)
        except ValueError as error:
            failures.append(("region", str(error)))
        return _checked(request.news, failures)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        old, new = wire.decode(request.old_inputs), wire.decode(request.news)
        changed = {name for name in set(old) | set(new) if old.get(name) != new.get(name)}
        changes = (
            provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        )
        return provider_pb2.DiffResponse(changes=changes, diffs=sorted(changed))

    def Configure(self, request: Any, context: Any) -> Any:
        self._settings[context.peer()] = Settings.parse(wire.decode(request.args))
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Invoke(self, request: Any, context: Any) -> Any:
        with _failing(context, f"asking {request.tok}"):
            settings = self._settings[context.peer()]
            answer = lifecycle.look_up(
                self._account, settings, request.tok, wire.decode(request.args)
            )
        return provider_pb2.InvokeResponse(**_returned(answer))

    def Check(self, request: Any, context: Any) -> Any:
        name = _name(request)
        with _failing(context, f"checking {name}"):
            kind = _kind(request)
        inputs, old = wire.decode(request.news), wire.decode(request.olds)
        settings = self._settings[context.peer()]
        seed = request.randomSeed or os.urandom(16)
        added = additions(kind, name, inputs, old, settings, seed)
        secret = {"tagsAll"} if "tags" in wire.secret_names(request.news) else set()
        # The program's own inputs are returned undecoded, because decoding reveals secrets.
        return _checked(
            request.news,
            problems(kind, name, {**inputs, **added}),
            wire.encode(added, secret),
        )

    def Diff(self, request: Any, context: Any) -> Any:
        difference = lifecycle.difference(
            _kind(request),
            wire.decode(request.olds),
            wire.decode(request.old_inputs),
            wire.decode(request.news),
        )
        changes = (
            provider_pb2.DiffResponse.DIFF_SOME
            if difference.paths
            else provider_pb2.DiffResponse.DIFF_NONE
        )
        detailed = {
            path: _DIFFERENCE(kind=_KINDS[change, difference.needs_replacement(path)])
            for path, change in difference.paths.items()
        }
        return provider_pb2.DiffResponse(
            changes=changes,
            diffs=sorted(difference.changed),
            replaces=sorted(difference.replaces),
            detailedDiff=detailed,
            hasDetailedDiff=True,
            deleteBeforeReplace=difference.deletes_before_replace,
        )

    def Create(self, request: Any, context: Any) -> Any:
        kind, inputs = _kind(request), wire.decode(request.properties)
        secret = wire.secret_names(request.properties)
        if request.preview:
            outputs = lifecycle.predicted(kind, inputs, None)
            return provider_pb2.CreateResponse(properties=wire.encode(outputs, secret))
        with _failing(context, f"creating {_name(request)}", secret):
            identity, outputs = lifecycle.create(kind, self._place(kind, inputs, context), inputs)
        return provider_pb2.CreateResponse(id=identity, properties=wire.encode(outputs, secret))

    def Read(self, request: Any, context: Any) -> Any:
        kind = _kind(request)
        old, inputs = wire.decode(request.properties), wire.decode(request.inputs)
        with _failing(context, f"reading {_name(request)}"):
            place = self._place(kind, {**inputs, **old}, context)
            outputs = lifecycle.read(kind, place, request.id, {**inputs, **old})
        if outputs is None:
            return provider_pb2.ReadResponse()
        live = {name: outputs.get(name, value) for name, value in inputs.items()}
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=wire.encode(outputs, wire.secret_names(request.properties)),
            inputs=wire.encode(live, wire.secret_names(request.inputs)),
        )

    def Update(self, request: Any, context: Any) -> Any:
        kind = _kind(request)
        old, inputs = wire.decode(request.olds), wire.decode(request.news)
        old_inputs = wire.decode(request.old_inputs)
        with _failing(context, f"updating {_name(request)}"):
            outputs = (
                lifecycle.predicted(kind, inputs, old)
                if request.preview
                else lifecycle.update(
                    kind, self._place(kind, inputs, context), request.id, inputs, old, old_inputs
                )
            )
        secret = wire.secret_names(request.news)
        return provider_pb2.UpdateResponse(properties=wire.encode(outputs, secret))

    def Delete(self, request: Any, context: Any) -> Any:
        kind, state = _kind(request), wire.decode(request.properties)
        with _failing(context, f"deleting {_name(request)}"):
            lifecycle.delete(kind, self._place(kind, state, context), request.id, state)
        return Empty()

    def _place(self, kind: Resource, properties: Properties, context: Any) -> Place:
        region = properties.get("region") or self._settings[context.peer()].region
        return lifecycle.place(self._account, kind.service, region)


def _returned(answer: Properties) -> dict[str, Any]:
    # The field has the name of a keyword.
    return {"return": wire.encode(answer)}


def _kind(request: Any) -> Resource:
    # urn:pulumi:<stack>::<project>::<parent's type>$<type>::<name>
    return lifecycle.kind_of(request.urn.split("::")[2].split("$")[-1])


def _name(request: Any) -> str:
    return str(request.urn.split("::", 3)[3])


def _checked(news: Any, failures: Any, added: Any = None) -> Any:
    inputs = Struct()
    inputs.CopyFrom(news)
    inputs.MergeFrom(added or Struct())
    return provider_pb2.CheckResponse(
        inputs=inputs,
        failures=[
            provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in failures
        ],
    )


@contextmanager
def _failing(context: Any, activity: str, secret: frozenset[str] = frozenset()) -> Iterator[None]:
    """Turn exceptions into the gRPC error that the engine shows, in one sentence."""
    try:
        yield
    except HalfCreatedError as error:
        detail = provider_pb2.ErrorResourceInitFailed(
            id=error.identity,
            properties=wire.encode(error.outputs, secret),
            reasons=[str(error)],
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=activity)
        status.details.add().Pack(detail)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.UNKNOWN, f"{activity}: {error}")
    except lifecycle.UnknownTypeError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    except lifecycle.FAILURES as error:
        context.abort(grpc.StatusCode.UNKNOWN, f"{activity}: {lifecycle.error_text(error)}")
