"""The user's program, served to one engine after the other from the same process."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import resource_pb2, resource_pb2_grpc
from pulumi.runtime.settings import Settings

# Whose import prepares the SDK's channels.
import sandbox.deployment.program  # noqa: F401


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """An engine's monitor that answers one question."""

    def SupportsFeature(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Yes; the name is gRPC's."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)


@contextmanager
def monitor(port: int = 0) -> Iterator[int]:
    """A monitor on 127.0.0.1 while the context lasts; the result is its port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(Monitor(), server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield bound
    finally:
        server.stop(grace=None).wait()


def connect(port: int) -> Any:
    """The SDK's stub for a monitor; its settings stay in a context of their own."""
    address = f"127.0.0.1:{port}"
    return copy_context().run(lambda: Settings("trial", "dev", monitor=address).monitor)


def test_an_engine_can_have_the_port_of_an_earlier_one() -> None:
    """A call that came too late for an engine does not fail the first call to the next one."""
    request = resource_pb2.SupportsFeatureRequest(id="secrets")
    with monitor() as port:
        earlier = connect(port)
        assert earlier.SupportsFeature(request).hasSupport
    with pytest.raises(grpc.RpcError, match="UNAVAILABLE"):
        earlier.SupportsFeature(request)
    with monitor(port):
        assert connect(port).SupportsFeature(request).hasSupport
