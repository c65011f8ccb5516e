"""The session with AWS: its clients, their time-outs and retries, and the text of errors."""

import logging
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError

from handler.sanitize import plain

if TYPE_CHECKING:
    import boto3

FAILURES = (ClientError, BotoCoreError, ResponseParserError)
"""What boto3 raises if AWS refuses, cannot be reached, or gives an answer it cannot parse."""

# Cut from botocore's by tools/service_models.py.
_SERVICE_MODELS = Path(__file__).resolve().parent / "service_models"

# Otherwise each run logs the same 40 lines about credentials and endpoints.
logging.getLogger("botocore").setLevel(logging.WARNING)

# Adaptive: when AWS throttles, the client slows down, because other software in the account shares
# the request quota. A region that does not answer takes 45 seconds, so that even 17 of them, six at
# a time, leave time for the mail within the function's default limit of 300.
_TIMEOUTS = Config(connect_timeout=5, read_timeout=10, user_agent_extra="security-group-audit")
_ADAPTIVE_RETRIES = _TIMEOUTS.merge(Config(retries={"mode": "adaptive", "total_max_attempts": 4}))
# The client gives up on a bucket that does not answer after 16 seconds, to leave time for the mail.
_QUICK_ONE_RETRY = _TIMEOUTS.merge(
    Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
)
# If only the answer was lost, a retry would send the message twice.
_NO_RETRY = _TIMEOUTS.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
# CloudTrail only adds to what the mail says, and other software in the account shares its quota.
_QUICK_NO_RETRY = _NO_RETRY.merge(Config(connect_timeout=3, read_timeout=5))
_CONFIGS = {
    "cloudtrail": _QUICK_NO_RETRY,
    "events": _QUICK_ONE_RETRY,
    "sesv2": _NO_RETRY,
    "s3": _QUICK_ONE_RETRY,
}
# Sessions are not thread-safe while they make a client; the clients themselves are. One lock for
# all, because the clients of several accounts share a session.
_SESSION_LOCK = Lock()
_whole_session: Any = cache(botocore.session.get_session)


class Clients:
    """The clients of one run: one per service and region, from one session.

    A session per thread or region would cost 200 MB and 3 s of CPU for 17 regions.
    """

    def __init__(
        self,
        session: "boto3.session.Session | None" = None,
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        """Without a session, the clients come from the sessions of the process.

        ``credentials`` are those of a role; None for the session's own.
        """
        self._session: Any = session
        self._credentials = credentials or {}
        self._clients: dict[tuple[str, str | None], Any] = {}

    def get(self, service: str, region: str | None = None) -> Any:
        """The client of ``service`` in ``region``, by default the one that the program runs in."""
        with _SESSION_LOCK:
            key = service, region
            if key not in self._clients:
                self._clients[key] = self._new_client(service, region)
            return self._clients[key]

    def _new_client(self, service: str, region: str | None) -> Any:
        config = _CONFIGS.get(service, _ADAPTIVE_RETRIES)
        arguments = {"region_name": region, "config": config, **self._credentials}
        if self._session:
            return self._session.client(service, **arguments)
        try:
            return small_session().create_client(service, **arguments)
        except Exception:  # noqa: BLE001 -- after any error, the complete models are used
            # The service has no reduced model, or botocore expects more of it.
            return _whole_session().create_client(service, **arguments)

    def with_credentials(self, credentials: Mapping[str, str]) -> "Clients":
        """The clients with other credentials, by the names of boto3's arguments."""
        return Clients(self._session, credentials)


class Caller(NamedTuple):
    """Whose credentials the clients have; ``arn`` is that of a user or of a role's session."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """The partition of the account, for example aws-cn."""
        return self.arn.split(":")[1]


def caller_of(clients: Clients) -> Caller:
    """Whose credentials the clients have. Raises one of ``FAILURES``."""
    # The ARN in Lambda's context would save the call, but emulators of Lambda make it up.
    identity = clients.get("sts").get_caller_identity()
    return Caller(identity["Account"], identity.get("Arn", ""))


@cache
def small_session() -> Any:
    """The session of the process, with models of only the operations that the handler calls.

    boto3's own session would load S3's transfer manager too.
    """
    session = botocore.session.get_session()
    loader = Loader([str(_SERVICE_MODELS)], include_default_search_paths=False)
    session.register_component("data_loader", loader)
    return session


def error_text(error: Exception) -> str:
    """The message of an error on one line, cut to a readable length, with a full stop."""
    # A refused AssumeRole names two ARNs, and ends with the kind of policy that forbids it.
    length = 400
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        text = f"{details.get('Code', 'Unknown')}: {details.get('Message', '')}"
    else:
        text = str(error)
    text = plain(" ".join(text.split())).rstrip(".")
    return f"{text}." if len(text) <= length else f"{text[:length]}..."


def is_refusal(error: Exception) -> bool:
    """Whether AWS refused the call and did nothing; False if that is unknown, as after a 5xx."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def error_code(error: Exception) -> str:
    """AWS's code for an error; the exception's name if AWS did not answer."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__
