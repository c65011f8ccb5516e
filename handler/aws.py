"""The session with AWS: its clients, their time-outs and retries, and the text of its errors."""

import logging
from functools import cache
from http import HTTPStatus
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from handler.sanitize import plain

FAILURES = (ClientError, BotoCoreError, ResponseParserError)
"""What boto3 raises when AWS refuses, cannot be reached or gives an answer it cannot parse."""

# Without it, each run logs the same 40 lines on credentials and endpoints.
logging.getLogger("botocore").setLevel(logging.WARNING)

# Adaptive: when AWS throttles, the client slows down rather than press on, because the account's
# own software shares the same request quota.
# A region that does not answer takes 45 seconds, so that even 17 of them, four at a time, leave
# time for the mail within the function's default limit of 300.
_TIMEOUTS = Config(connect_timeout=5, read_timeout=10, user_agent_extra="security-group-audit")
_ADAPTIVE_RETRIES = _TIMEOUTS.merge(Config(retries={"mode": "adaptive", "total_max_attempts": 4}))
# A bucket that does not answer is given up after 16 seconds, to leave time for the mail.
_ONE_QUICK_RETRY = _TIMEOUTS.merge(
    Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
)
# A message that was sent again because the answer to it was lost would arrive twice.
_NO_RETRY = _TIMEOUTS.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
# CloudTrail only adds to what the mail says, and the account's own software shares its quota.
_ONCE = _NO_RETRY.merge(Config(connect_timeout=3, read_timeout=5))
_CONFIGS = {
    "cloudtrail": _ONCE,
    "events": _ONE_QUICK_RETRY,
    "sesv2": _NO_RETRY,
    "s3": _ONE_QUICK_RETRY,
}


class Clients:
    """The clients of one run: one for each service and region, from one session.

    A session for each thread or region would cost 200 MB and 3 s of CPU for 17 regions.
    """

    def __init__(self, session: boto3.session.Session | None = None) -> None:
        """Without a session, the clients come from the one that the process keeps."""
        self._session: Any = session or _process_session()
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._lock = Lock()

    def get(self, service: str, region: str | None = None) -> Any:
        """The client of ``service`` in ``region``, or in the region the program runs in."""
        # Sessions are not thread-safe while they make a client; the clients themselves are.
        with self._lock:
            key = service, region
            if key not in self._clients:
                config = _CONFIGS.get(service, _ADAPTIVE_RETRIES)
                self._clients[key] = self._session.client(
                    service, region_name=region, config=config
                )
            return self._clients[key]


@cache
def _process_session() -> boto3.session.Session:
    return boto3.session.Session()


def error_text(error: Exception) -> str:
    """The plain message of a failure on one line, cut to a readable length, with a full stop."""
    length = 300
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        text = f"{details.get('Code', 'Unknown')}: {details.get('Message', '')}"
    else:
        text = str(error)
    text = plain(" ".join(text.split())).rstrip(".")
    return f"{text}." if len(text) <= length else f"{text[:length]}..."


def is_refusal(error: Exception) -> bool:
    """Whether AWS refused the call and did nothing; after a 5xx or no answer that is unknown."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def error_code(error: Exception) -> str:
    """AWS's code for a failure; the exception's name when AWS did not answer."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__
