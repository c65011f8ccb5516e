"""CloudTrail's event history: a record of each call that can open or close something."""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from botocore.model import ListShape, Shape, StructureShape
from moto.backends import get_backend
from werkzeug.wrappers import Response

from sandbox.aws.callers import Callers
from sandbox.aws.protocol import REQUEST_ID, Operation

Record = dict[str, Any]

# The calls whose parameters CloudTrail records in lowerCamelCase, and those in UpperCamelCase.
_LOWER_CAMEL = frozenset(
    {
        "AssociateAddress",
        "AuthorizeSecurityGroupIngress",
        "CreateSecurityGroup",
        "ModifyInstanceAttribute",
        "ModifyNetworkInterfaceAttribute",
        "RevokeSecurityGroupIngress",
    }
)
_UPPER_CAMEL = frozenset(
    {
        "AssignIpv6Addresses",
        "ModifyManagedPrefixList",
        "ModifySecurityGroupRules",
        "RestoreManagedPrefixListVersion",
    }
)
_RETENTION = timedelta(days=90)
_LARGEST_PAGE = 50
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
_REQUESTS_A_SECOND = 2.0


class EventHistory:
    """The records of all regions, and LookupEvents, which reads them.

    An event is recorded at once; in AWS it takes some minutes.
    """

    def __init__(self, callers: Callers) -> None:
        self._callers = callers
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.records: list[Record] = []
        self._tokens: defaultdict[str, float] = defaultdict(lambda: _REQUESTS_A_SECOND)
        self._requested_at: dict[str, datetime] = {}

    def event(self, record: Record) -> dict[str, Any]:
        """A record as EventBridge delivers it."""
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.ec2",
            "account": record["recipientAccountId"],
            "time": record["eventTime"],
            "region": record["awsRegion"],
            "resources": [],
            "detail": record,
        }

    def add(self, operation: Operation, response: Response) -> None:
        """Record a call of EC2 with its answer, if it can open or close something."""
        if operation.service != "ec2" or operation.name not in _LOWER_CAMEL | _UPPER_CAMEL:
            return
        answer = operation.read(response)
        is_refused = response.status_code >= HTTPStatus.BAD_REQUEST
        error = f"Client.{answer.get('Error', {}).get('Code')}" if is_refused else None
        time = self.now().astimezone(UTC)
        self.records.append(
            {
                "eventVersion": "1.10",
                "userIdentity": self._identity(operation),
                "eventTime": f"{time:%Y-%m-%dT%H:%M:%SZ}",
                "eventSource": "ec2.amazonaws.com",
                "eventName": operation.name,
                "awsRegion": operation.region,
                "sourceIPAddress": operation.request.remote_addr,
                "userAgent": operation.request.headers.get("User-Agent"),
                **({"errorCode": error} if error else {}),
                "requestParameters": _request(operation),
                "responseElements": None if is_refused else _response(operation, answer),
                "requestID": REQUEST_ID,
                "eventID": str(uuid.uuid4()),
                "readOnly": False,
                "eventType": "AwsApiCall",
                "managementEvent": True,
                "recipientAccountId": operation.account,
                "eventCategory": "Management",
            }
        )

    def serve(self, operation: Operation) -> Response:
        """Answer LookupEvents: the latest events first, by the name of the call."""
        if not self._has_token(operation.region):
            return operation.refusal("ThrottlingException", "Rate exceeded")
        parameters = operation.parameters
        attributes = parameters.get("LookupAttributes", [])
        if [attribute["AttributeKey"] for attribute in attributes] != ["EventName"]:
            message = "This account looks events up by EventName only."
            return operation.refusal("InternalFailure", message, HTTPStatus.NOT_IMPLEMENTED)
        size = parameters.get("MaxResults", _LARGEST_PAGE)
        if not 1 <= size <= _LARGEST_PAGE:
            return operation.refusal("InvalidMaxResultsException", "1 to 50 results are allowed.")
        start = max(_time(parameters.get("StartTime", 0)), self.now() - _RETENTION)
        records = [
            record
            for record in reversed(self.records)
            if record["awsRegion"] == operation.region
            and record["eventName"] == attributes[0]["AttributeValue"]
            and start <= datetime.fromisoformat(record["eventTime"])
        ]
        first = int(parameters.get("NextToken", 0))
        page = {"Events": [_lookup_event(record) for record in records[first : first + size]]}
        rest = {"NextToken": str(first + size)} if len(records) > first + size else {}
        return operation.answer(page | rest)

    def _has_token(self, region: str) -> bool:
        """Whether the region's quota of requests a second leaves room for one more."""
        now = self.now()
        seconds = (now - self._requested_at.get(region, now)).total_seconds()
        tokens = min(_REQUESTS_A_SECOND, self._tokens[region] + seconds * _REQUESTS_A_SECOND)
        self._requested_at[region] = now
        self._tokens[region] = tokens - 1 if tokens >= 1 else tokens
        return tokens >= 1

    def _identity(self, operation: Operation) -> Record:
        """The user or role session of the caller's key; the account's owner is an IAM user, too."""
        account, caller = operation.account, operation.caller
        common = {"accountId": account, "accessKeyId": caller}
        for assumed in get_backend("sts")[account]["aws"].assumed_roles:
            if assumed.access_key_id == caller:
                return common | _session(account, assumed.role_arn, assumed.session_name)
        if role := self._callers.get(caller).role:
            return common | _session(account, role, role.rpartition("/")[2])
        users = get_backend("iam")[account]["aws"].users.values()
        keys = {key.access_key_id: user.name for user in users for key in user.access_keys}
        name = keys.get(caller, "admin")
        arn = f"arn:aws:iam::{account}:user/{name}"
        return common | {"type": "IAMUser", "principalId": "AIDA", "arn": arn, "userName": name}


def _session(account: str, role_arn: str, session: str) -> Record:
    name = role_arn.rpartition("/")[2]
    issuer = {"type": "Role", "arn": role_arn, "accountId": account, "userName": name}
    return {
        "type": "AssumedRole",
        "principalId": f"AROA:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "sessionContext": {"sessionIssuer": issuer},
    }


def _request(operation: Operation) -> Record:
    """The parameters as CloudTrail writes them."""
    shape, parameters = operation.model.input_shape, operation.parameters
    if operation.name in _UPPER_CAMEL:
        return {f"{operation.name}Request": _as_requested(shape, parameters)}
    record: Record = _lower_camel(parameters)
    if groups := parameters.get("Groups"):
        record.pop("groups")
        record["groupSet"] = {"items": [{"groupId": group} for group in groups]}
    return record


def _response(operation: Operation, answer: Record) -> Record:
    if operation.name in _UPPER_CAMEL:
        return {f"{operation.name}Response": {"requestId": REQUEST_ID, "return": True}}
    rules = {"securityGroupRuleSet": _lower_camel(answer.get("SecurityGroupRules", []))}
    group = {"groupId": answer["GroupId"]} if "GroupId" in answer else {}
    return {"requestId": REQUEST_ID, "_return": True, **group, **rules}


def _lower_camel(value: Any) -> Any:
    """Names in lowerCamelCase, and lists below ``items``."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: _lower_camel(part) for key, part in value.items()}
    if isinstance(value, list):
        return {"items": [_lower_camel(part) for part in value]}
    return value


def _as_requested(shape: Shape | None, value: Any) -> Any:
    """Names as in the request; list items have numbers, and a list of one item is the item."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        members = shape.members
        renamed: Record = {
            str(members[key].serialization.get("name", key)): _as_requested(members[key], part)
            for key, part in value.items()
        }
        return renamed
    if isinstance(shape, ListShape):
        items = [_as_requested(shape.member, part) for part in value]
        numbered: list[Any] = [
            item | {"tag": number} if isinstance(item, dict) else item
            for number, item in enumerate(items, 1)
        ]
        return numbered[0] if len(numbered) == 1 else numbered
    return value


def _lookup_event(record: Record) -> dict[str, Any]:
    return {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": "false",
        "EventTime": datetime.fromisoformat(record["eventTime"]),
        "EventSource": record["eventSource"],
        "Username": record["userIdentity"].get("userName", ""),
        "Resources": [],
        "CloudTrailEvent": json.dumps(record),
    }


def _time(value: Any) -> datetime:
    """The time of a request, which may be a number of seconds."""
    is_time = isinstance(value, datetime)
    time: datetime = value if is_time else datetime.fromtimestamp(float(value), UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
