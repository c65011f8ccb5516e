"""A gRPC server for one service, which the engine connects to."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

# The engine's own limit for one message; an archive's texts travel in one.
_MESSAGE_BYTES = 400 * 1024 * 1024
# Seconds for what the engine has sent and ended before it arrived.
_GRACE = 1


@contextmanager
def served(add: Callable[[Any, grpc.Server], None], servicer: object) -> Iterator[int]:
    """Serve on 127.0.0.1 while the context lasts; the result is the port.

    ``add`` is the function that protoc generates to add a servicer to a server.
    """
    options = [("grpc.max_receive_message_length", _MESSAGE_BYTES)]
    server = grpc.server(ThreadPoolExecutor(max_workers=16), options=options)
    add(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(_GRACE).wait()
