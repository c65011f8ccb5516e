"""A stand-in for awslambdaric's native Runtime API client, which exists on Linux only.

It is copied into the runtime folder on other systems, and imports only the standard library.
"""

import http.client
import os

_PREFIX = "/2018-06-01/runtime/invocation"


def initialize_client(user_agent: str) -> None:
    """Nothing to prepare: each request opens its own connection."""


def next() -> tuple[bytes, dict[str, str]]:  # noqa: A001  (the native module's name)
    """The next event and its headers; waits until there is one."""
    return _request("GET", "next", b"", {})


def post_invocation_result(request_id: str, body: bytes, content_type: str, *_: object) -> None:
    """Report what the handler returned."""
    _request("POST", f"{request_id}/response", body, {"Content-Type": content_type})


def post_error(request_id: str, body: str, *_: object) -> None:
    """Report what the handler raised."""
    _request("POST", f"{request_id}/error", body.encode(), {"Content-Type": "application/json"})


def _request(
    method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, f"{_PREFIX}/{path}", body, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    if response.status >= http.HTTPStatus.BAD_REQUEST:
        raise RuntimeError(f"The Runtime API answered {method} {path} with {response.status}.")
    return content, dict(response.getheaders())
