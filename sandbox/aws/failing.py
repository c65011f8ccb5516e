"""Applies a fault to a request: an error, a broken connection, a dead function or a delay."""

import logging
import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Response

from sandbox.aws.faults import Fault
from sandbox.aws.protocol import Operation

logger = logging.getLogger(__name__)


@dataclass
class Failing:
    """Applies faults until the account closes; ``kill`` ends the process of a session token."""

    kill: Callable[[str], None] = lambda _: None
    closing: threading.Event = field(default_factory=threading.Event)

    def apply(self, operation: Operation, fault: Fault, environ: dict[str, Any]) -> Response | None:
        """The response of a fault, after its delay; None if the request is to be carried out.

        Raises ``ConnectionAbortedError`` if the request is to get no response.
        """
        connection: socket.socket = environ["werkzeug.socket"]
        is_over = self._wait(fault.delay, connection)
        if fault.kill:
            self.kill(operation.request.headers["X-Amz-Security-Token"])
        if fault.drop or fault.kill or not is_over:
            # Without this the client would see an empty answer that came in time.
            _shut(connection)
            raise ConnectionAbortedError(f"{operation.name} is not answered: {fault}.")
        if fault.garble:
            return Response("<html>Bad gateway", status=200)
        if fault.code is None:
            return None
        return operation.refusal(fault.code, fault.message, fault.status)

    def _wait(self, seconds: float, connection: socket.socket) -> bool:
        """Wait; False if the client or the account was closed before the time was over."""
        waited = 0.0
        while waited < seconds:
            if self.closing.wait(min(0.05, seconds - waited)) or _is_closed(connection):
                return False
            waited += 0.05
        return True


def _is_closed(connection: socket.socket) -> bool:
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        logger.debug("The client had gone.", extra={"error": str(error)})
