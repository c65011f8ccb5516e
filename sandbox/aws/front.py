"""The front of the account: records every request, applies faults and forwards to moto.

It answers or amends what moto lacks.
"""

import logging
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

from sandbox.aws import authorization, security_groups
from sandbox.aws.bucket_encryption import add_blocked_types
from sandbox.aws.bucket_policies import BucketPolicies
from sandbox.aws.callers import Caller, Callers
from sandbox.aws.event_history import EventHistory
from sandbox.aws.failing import Failing
from sandbox.aws.faults import Faults
from sandbox.aws.function_settings import FunctionSettings
from sandbox.aws.mail import Mail, read_mail
from sandbox.aws.networks import Networks, without_interface_filters
from sandbox.aws.organization import management_account_of
from sandbox.aws.paging import PAGED, Pages
from sandbox.aws.protocol import Operation, understand
from sandbox.aws.regions import Regions
from sandbox.aws.roles import refuse_to_assume
from sandbox.aws.stack_sets import StackSets

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
    """One request that reached the account; ``caller`` is the access key it was signed with."""

    service: str
    operation: str
    region: str
    caller: str


class Front:
    """The WSGI application between boto3 and moto.

    ``handlers`` answer operations, by service and name, in moto's place.
    """

    def __init__(self, faults: Faults) -> None:
        self.failing = Failing()
        self.calls: list[Call] = []
        self.mails: list[Mail] = []
        self.prepare_state_machines: Callable[[], None] = lambda: None
        self.callers = Callers()
        self.history = EventHistory(self.callers)
        self.regions = Regions()
        self.networks = Networks()
        self.settings = FunctionSettings()
        self.stack_sets = StackSets()
        self.handlers: dict[tuple[str, str], Callable[[Operation], Response | None]] = {
            ("cloudformation", "CreateStackInstances"): self.stack_sets.serve,
            ("cloudformation", "DeleteStackInstances"): self.stack_sets.serve,
            ("cloudtrail", "LookupEvents"): self.history.serve,
            ("ec2", "DescribeRegions"): self.regions.describe,
            ("sesv2", "GetAccount"): self._describe_sending,
            ("sts", "GetCallerIdentity"): self._identify,
        }
        self._bucket_policies = BucketPolicies()
        self._faults = faults
        self._pages = Pages()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        operation = understand(environ, lambda key: self.callers.get(key).account)
        if operation is None:
            return _MOTO(environ, start_response)  # type: ignore[no-any-return]
        self.calls.append(
            Call(operation.service, operation.name, operation.region, operation.caller)
        )
        fault = self._faults.take(operation)
        if fault and fault.answered:
            self._carry_out(operation)
        failure = self.failing.apply(operation, fault, environ) if fault else None
        return (failure or self._carry_out(operation))(environ, start_response)

    def _carry_out(self, operation: Operation) -> Response:
        """The response to a request without a fault, recorded in the event history."""
        response = (
            self.regions.refuse_disabled(operation)
            or self._deny(operation)
            or self._respond(_for_organization(operation))
        )
        self.history.add(operation, response)
        return response

    def _respond(self, operation: Operation) -> Response:
        """The response to a request that is allowed."""
        return self._refuse(operation) or self._serve(operation) or self._forward(operation)

    def _deny(self, operation: Operation) -> Response | None:
        """The refusal of a request that the caller's role does not allow."""
        role = self.callers.get(operation.caller).role
        return authorization.refuse(operation, role) if role else None

    def _refuse(self, operation: Operation) -> Response | None:
        """The refusals of AWS that moto lacks."""
        match operation.service, operation.name:
            case "ec2", "GetManagedPrefixListEntries" if not self._has_prefix_list(operation):
                return operation.refusal(
                    "InvalidPrefixListID.NotFound",
                    f"The prefix list ID '{operation.parameters['PrefixListId']}' does not exist",
                )
            case "sts", "AssumeRole":
                return refuse_to_assume(operation, self.callers.get(operation.caller))
            case "ec2", name if name in PAGED:
                return self._pages.refuse(operation)
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
        """The responses of AWS that moto lacks."""
        if handler := self.handlers.get((operation.service, operation.name)):
            return handler(operation)
        if operation.service == "ec2" and (
            result := self._pages.next_items(operation) or self.networks.serve(operation)
        ):
            self._pages.paginate(operation, result)
            return operation.answer(result)
        return None

    def _describe_sending(self, operation: Operation) -> Response:
        """SES's GetAccount: the quota of an account in the sandbox of SES."""
        quota = {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 0.0}
        return operation.answer(
            {
                "ProductionAccessEnabled": False,
                "SendQuota": {**quota, "SentLast24Hours": float(len(self.mails))},
                "SendingEnabled": True,
                "EnforcementStatus": "HEALTHY",
            }
        )

    def _identify(self, operation: Operation) -> Response | None:
        """GetCallerIdentity of a role; moto knows the others."""
        caller = self.callers.get(operation.caller)
        if caller.role is None:
            return None
        identity = {"UserId": f"AROASANDBOX:{operation.caller}", "Account": caller.account}
        return operation.answer(identity | {"Arn": caller.user})

    def _forward(self, operation: Operation) -> Response:
        """Moto's response, amended if AWS's differs."""
        operation = self._amend_request(operation)
        try:
            response = Response.from_app(_MOTO, operation.environ(), buffered=True)
        except Exception as error:  # moto may raise anything
            logger.exception("Moto failed.", extra={"operation": operation.name})
            return operation.refusal(
                "InternalFailure", f"Moto failed at {operation.name}: {error!r}", 500
            )
        is_missing = response.status_code == HTTPStatus.NOT_FOUND
        # A missing object looks the same to HEAD, whose response has no body.
        if is_missing and response.mimetype == "text/html" and operation.request.method != "HEAD":
            return operation.refusal(
                "InternalFailure", f"Moto does not imitate {operation.name}.", 501
            )
        if response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            return self._amend_response(operation, response)
        role = self.callers.get(operation.caller).role
        if is_missing and operation.name == "GetObject" and role:
            return authorization.refuse_missing_object(operation, role) or response
        return response

    def _amend_request(self, operation: Operation) -> Operation:
        """The request as moto understands it."""
        if operation.service == "ec2":
            self.networks.prepare(self._backend("ec2", operation))
        if operation.service == "ec2" and operation.name in CANONICAL:
            operation = replace(operation, body=security_groups.canonical_rules(operation.body))
        if operation.service == "ec2" and operation.name == "DescribeNetworkInterfaces":
            operation = replace(operation, body=without_interface_filters(operation.body))
        if operation.service == "stepfunctions":
            self.prepare_state_machines()
        if operation.service == "s3" and operation.name == "PutBucketPolicy":
            operation = replace(operation, body=self._bucket_policies.store(operation))
        return operation

    def _amend_response(self, operation: Operation, response: Response) -> Response:
        match operation.service, operation.name:
            case "ec2", name if name in PAGED:
                result = operation.read(response)
                if name == "DescribeSecurityGroups":
                    security_groups.amend_groups(result)
                self.networks.amend(operation, result)
                self._pages.paginate(operation, result)
                return operation.answer(result)
            case "sts", "AssumeRole":
                role_arn = operation.parameters["RoleArn"]
                key = operation.read(response)["Credentials"]["AccessKeyId"]
                self.callers.add(key, Caller(role_arn.split(":")[4], role_arn))
            case "s3", "GetBucketEncryption":
                buckets = get_backend("s3")[operation.account]["aws"]
                bucket = buckets.get_bucket(operation.parameters["Bucket"])
                return add_blocked_types(operation, response, bucket.encryption)
            case "s3", "GetBucketPolicy":
                return self._bucket_policies.amend(operation, response)
            case "lambda", _ if self.settings.concerns(operation):
                return self.settings.amend(operation, response)
            case "sesv2", "SendEmail":
                self.mails.append(read_mail(operation))
        return response

    def _has_prefix_list(self, operation: Operation) -> bool:
        lists = self._backend("ec2", operation).managed_prefix_lists
        return operation.parameters["PrefixListId"] in lists

    def _backend(self, service: str, operation: Operation) -> Any:
        return get_backend(service)[operation.account][operation.region]  # type: ignore[call-overload]


def _for_organization(operation: Operation) -> Operation:
    """The request of a delegated administrator as one of the management account."""
    is_delegated = operation.parameters.get("CallAs") == "DELEGATED_ADMIN"
    if operation.service != "organizations" and not is_delegated:
        return operation
    return replace(operation, account=management_account_of(operation.account))
