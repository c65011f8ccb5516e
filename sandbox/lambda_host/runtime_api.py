"""The Runtime API, from which a process fetches a function's events and to which it posts results.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a process reports: ``kind`` is ready, response, error, init_error or exit."""

    kind: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Event:
    """One event for the process, with the headers Lambda puts on it."""

    headers: Mapping[str, str]
    payload: bytes


class RuntimeApi(ThreadingHTTPServer):
    """The Runtime API of one process, on 127.0.0.1."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: SimpleQueue[Event | None] = SimpleQueue()
        self.outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self.ready = False
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port, as AWS_LAMBDA_RUNTIME_API wants them."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    def close(self) -> None:
        """Stop serving; a process that still waits for an event is disconnected."""
        self.events.put(None)
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the error, except if a process was killed with its connection open."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: RuntimeApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self.server.ready:
            self.server.ready = True
            self.server.outcomes.put(Outcome("ready"))
        event = self.server.events.get()
        if event is None:
            self.close_connection = True  # the process has ended, or is about to be
            return
        self._send(200, event.headers, event.payload)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        kind = {"response": "response", "error": "error"}[self.path.rsplit("/", 1)[-1]]
        if self.path.endswith("/init/error"):
            kind = "init_error"
        # The answer first: a process that is ended on its outcome must not still wait for it.
        self._send(202, {"Content-Type": "application/json"}, json.dumps({"status": "OK"}).encode())
        self.server.outcomes.put(Outcome(kind, body))

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: the function has a log of its own."""
