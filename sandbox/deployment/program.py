"""Serves the user's program to the engine from this process: no language plugin is needed."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

# Private in pulumi, but what its Automation API serves inline programs with.
from pulumi.automation._server import LanguageServer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from sandbox.deployment.server import served

# Channels share their connections in a process. After a call that came too late for an engine, the
# first call to the next engine on the same port would fail without a try to connect.
_GRPC_CHANNEL_OPTIONS.append(("grpc.use_local_subchannel_pool", 1))


def serve(program: Callable[[], None]) -> AbstractContextManager[int]:
    """Serve the program while the context lasts; the result is the port."""
    return served(language_pb2_grpc.add_LanguageRuntimeServicer_to_server, _Host(program))


class _Host(LanguageServer):
    """The SDK's server, which leaves its event loop open when the engine gives up on a program."""

    def __init__(self, program: Callable[[], None]) -> None:
        super().__init__(self._run)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._program = program

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        try:
            return super().Run(request, context)  # type: ignore[no-untyped-call]
        except SystemExit:
            # The SDK's way out when the engine has ended already and no answer is awaited.
            return language_pb2.RunResponse()
        finally:
            if self._loop and not self._loop.is_closed():
                _close(self._loop)

    def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._program()


def _close(loop: asyncio.AbstractEventLoop) -> None:
    while pending := asyncio.all_tasks(loop):
        for task in pending:
            task.cancel()
        # Each registration that the engine gave up on exits on its own.
        with suppress(SystemExit):
            loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    loop.close()
