"""The front of the account: every request is recorded, may fail, and else is answered by moto.

What moto lacks is served or amended here.
"""

import logging
import select
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from http import HTTPStatus
from typing import Any

from moto.backends import get_backend
from moto.core import responses
from moto.core.utils import method_names_from_class
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Response

from sandbox.aws import authorization, regions, schedule, security_groups
from sandbox.aws.bucket_encryption import add_blocked_types
from sandbox.aws.bucket_policies import BucketPolicies
from sandbox.aws.event_history import EventHistory
from sandbox.aws.faults import Fault, Faults, wait
from sandbox.aws.function_settings import FunctionSettings
from sandbox.aws.mail import Mail, read_mail
from sandbox.aws.networks import Networks, without_interface_filters
from sandbox.aws.paging import PAGED, Pages
from sandbox.aws.protocol import Operation, understand

logger = logging.getLogger(__name__)

StartResponse = Callable[..., Any]
Environ = dict[str, Any]

CANONICAL = frozenset(
    f"{verb}SecurityGroup{direction}"
    for verb in ("Authorize", "Revoke")
    for direction in ("Ingress", "Egress")
)

# Moto looks for its services' folders and for each service's methods once a request, which is
# a third of its time.
responses.method_names_from_class = cache(method_names_from_class)  # type: ignore[attr-defined]


class _Moto(DomainDispatcherApplication):
    get_backend_for_host = cache(DomainDispatcherApplication.get_backend_for_host)


# One for the process, as moto's state is.
_MOTO = _Moto(create_backend_app)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached the account; `caller` is the access key it was signed with."""

    service: str
    operation: str
    region: str
    caller: str


class Front:
    """The WSGI application between boto3 and moto."""

    def __init__(self, faults: Faults) -> None:
        self.calls: list[Call] = []
        self.mails: list[Mail] = []
        self.invoke: Callable[[Operation], Response] | None = None
        self.put_events: Callable[[Operation], Response] | None = None
        self.role_of: Callable[[str], str | None] = lambda _: None
        self.history = EventHistory()
        self.closing = threading.Event()
        self.networks = Networks()
        self.settings = FunctionSettings()
        self._bucket_policies = BucketPolicies()
        self._faults = faults
        self._pages = Pages()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        operation = understand(environ)
        if operation is None:
            return _MOTO(environ, start_response)  # type: ignore[no-any-return]
        self.calls.append(
            Call(operation.service, operation.name, operation.region, operation.caller)
        )
        fault = self._faults.take(operation)
        response = (
            (self._fail(operation, fault, environ) if fault else None)
            or regions.refuse_disabled(operation)
            or self._deny(operation)
            or self._refuse(operation)
            or self.history.serve(operation)
            or self._serve(operation)
            or self._ask_moto(operation)
        )
        self.history.add(operation, response)
        return response(environ, start_response)

    def _fail(self, operation: Operation, fault: Fault, environ: Environ) -> Response | None:
        """Let a fault happen: an error response, a broken connection, or only a delay."""
        connection: socket.socket = environ["werkzeug.socket"]
        over = wait(fault.delay, lambda: _is_closed(connection), self.closing)
        if fault.drop or not over:
            # Without this the client would see an empty answer that came in time.
            _shut(connection)
            msg = f"{operation.name} is not answered: {fault}."
            raise ConnectionAbortedError(msg)
        if fault.garble:
            return Response("<html>Bad gateway", status=200)
        if fault.code is None:
            return None
        return operation.refusal(fault.code, fault.message, fault.status)

    def _deny(self, operation: Operation) -> Response | None:
        """The refusal of what a function's role does not allow; everybody else may do anything."""
        role = self.role_of(operation.caller)
        return authorization.refuse(operation, role) if role else None

    def _refuse(self, operation: Operation) -> Response | None:
        """The refusals that AWS knows and moto does not."""
        match operation.service, operation.name:
            case "ec2", "GetManagedPrefixListEntries" if not self._has_prefix_list(operation):
                return operation.refusal(
                    "InvalidPrefixListID.NotFound",
                    f"The prefix list ID '{operation.parameters['PrefixListId']}' does not exist",
                )
            case "ec2", name if name in PAGED:
                return self._pages.refuse(operation)
            case "events", "PutRule" if not schedule.is_valid(
                operation.parameters.get("ScheduleExpression") or "rate(1 day)"
            ):
                return operation.refusal(
                    "ValidationException", "Parameter ScheduleExpression is not valid."
                )
            case "sesv2", "CreateEmailIdentity" if (
                operation.parameters["EmailIdentity"]
                in self._backend("ses", operation).email_identities
            ):
                return operation.refusal(
                    "AlreadyExistsException",
                    f"Email identity {operation.parameters['EmailIdentity']} already exist.",
                )
        return None

    def _serve(self, operation: Operation) -> Response | None:
        """The answers that moto does not have."""
        match operation.service, operation.name:
            case "ec2", "DescribeRegions":
                return regions.describe_regions(operation)
            case "ec2", _ if result := (
                self._pages.continued(operation) or self.networks.serve(operation)
            ):
                self._pages.cut(operation, result)
                return operation.answer(result)
            case "events", "PutEvents" if self.put_events:
                return self.put_events(operation)
            case "lambda", "Invoke" if self.invoke:
                return self.invoke(operation)
            case "sesv2", "GetAccount":
                quota = {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 0.0}
                return operation.answer(
                    {
                        "ProductionAccessEnabled": False,
                        "SendQuota": {**quota, "SentLast24Hours": float(len(self.mails))},
                        "SendingEnabled": True,
                        "EnforcementStatus": "HEALTHY",
                    }
                )
        return None

    def _ask_moto(self, operation: Operation) -> Response:
        """Moto's answer, amended where AWS's differs."""
        if operation.service == "ec2":
            self.networks.prepare(self._backend("ec2", operation))
        if operation.service == "ec2" and operation.name in CANONICAL:
            operation = replace(operation, body=security_groups.canonical_rules(operation.body))
        if operation.service == "ec2" and operation.name == "DescribeNetworkInterfaces":
            operation = replace(operation, body=without_interface_filters(operation.body))
        if operation.service == "s3" and operation.name == "PutBucketPolicy":
            operation = replace(operation, body=self._bucket_policies.keep(operation))
        try:
            response = Response.from_app(_MOTO, operation.environ(), buffered=True)
        except Exception as error:  # moto is third-party: whatever it raises is said to the client
            logger.exception("Moto failed.", extra={"operation": operation.name})
            return operation.refusal(
                "InternalFailure", f"Moto failed at {operation.name}: {error!r}", 500
            )
        unknown = response.status_code == HTTPStatus.NOT_FOUND and response.mimetype == "text/html"
        # The answer to HEAD has no body: what is not there looks like that, too.
        if unknown and operation.request.method != "HEAD":
            return operation.refusal(
                "InternalFailure", f"Moto does not imitate {operation.name}.", 501
            )
        if response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            return self._amend(operation, response)
        missing = response.status_code == HTTPStatus.NOT_FOUND
        if missing and operation.name == "GetObject" and (role := self.role_of(operation.caller)):
            return authorization.refuse_to_miss(operation, role) or response
        return response

    def _amend(self, operation: Operation, response: Response) -> Response:
        match operation.service, operation.name:
            case "ec2", name if name in PAGED:
                result = operation.read(response)
                if name == "DescribeSecurityGroups":
                    security_groups.amend_groups(result)
                self.networks.amend(operation, result)
                self._pages.cut(operation, result)
                return operation.answer(result)
            case "s3", "GetBucketEncryption":
                buckets = get_backend("s3")[operation.account]["aws"]
                bucket = buckets.get_bucket(operation.parameters["Bucket"])
                return add_blocked_types(operation, response, bucket.encryption)
            case "s3", "GetBucketPolicy":
                return self._bucket_policies.amend(operation, response)
            case "lambda", _ if self.settings.concerns(operation):
                return self.settings.amend(operation, response)
            case "ses" | "sesv2", "SendEmail" | "SendRawEmail":
                self.mails.append(read_mail(operation))
        return response

    def _has_prefix_list(self, operation: Operation) -> bool:
        lists = self._backend("ec2", operation).managed_prefix_lists
        return operation.parameters["PrefixListId"] in lists

    def _backend(self, service: str, operation: Operation) -> Any:
        return get_backend(service)[operation.account][operation.region]  # type: ignore[call-overload]


def _is_closed(connection: socket.socket) -> bool:
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        logger.debug("The client had gone.", extra={"error": str(error)})
