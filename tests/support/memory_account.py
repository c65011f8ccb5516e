"""An AWS account in memory, for tests of many runs.

It answers the calls that the handler makes, without HTTP, botocore or moto: a run takes
milliseconds instead of a quarter of a second. It knows what these tests need and no more.
"""

import email
import email.policy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from hashlib import md5
from io import BytesIO
from threading import Lock
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from handler import clock
from sandbox.aws.faults import Fault, Faults
from sandbox.aws.mail import Mail

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.aws.protocol import Operation

Answer = dict[str, Any]
_NO_SUCH_KEY = Fault("*", code="NoSuchKey", message="The key does not exist.", status=404)
_PRECONDITION_FAILED = Fault(
    "*", code="PreconditionFailed", message="A condition did not hold.", status=412
)
_NOT_MODIFIED = Fault("*", code="304", message="Not Modified", status=304)
_THROTTLED = "RequestLimitExceeded"
_EC2_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Request:
    """One request: the operation that it asks for, and what carries it out."""

    name: str
    region: str
    carry_out: Callable[[], Answer]
    method: str = "POST"
    url: str = "/"
    caller: str = "owner"


class MemoryAccount:
    """An account with S3, SES and the security groups of EC2 in each region.

    It stands in for ``sandbox.aws.account.Account``: ``faults``, ``client`` and ``mails`` are the
    same, with faults that refuse a request only. ``now`` is the clock of S3.
    """

    id = "123456789012"

    def __init__(self) -> None:
        self.faults = Faults()
        self.accepted: list[Mail] = []
        self.now: Callable[[], datetime] = clock.now
        self._lock = Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    def environment(self) -> dict[str, str]:
        """No variables: the handler is given its clients."""
        return {}

    def mails(self) -> list[Mail]:
        """All mail that SES accepted, in order."""
        return list(self.accepted)

    def client(self, service: str, region: str | None = None) -> Any:
        """The client of a service; S3, SES and STS are the same in all regions."""
        key = service, region or "eu-west-1"
        with self._lock:
            if key not in self._clients:
                self._clients[key] = _CLIENTS[service](self, key[1])
            return self._clients[key]

    def send(self, request: Request) -> Answer:
        """The answer to a request. Raises ``ClientError`` for a fault."""
        fault = self.faults.take(cast("Operation", request))
        if fault is not None:
            assert fault.code, f"an account in memory cannot show {fault}"
            raise _refusal(fault)
        with self._lock:
            return request.carry_out()


def _refusal(fault: Fault, headers: Mapping[str, str] | None = None) -> ClientError:
    response: Any = {
        "Error": {"Code": fault.code, "Message": fault.message},
        "ResponseMetadata": {"HTTPStatusCode": fault.status, "HTTPHeaders": headers or {}},
    }
    return ClientError(response, fault.operation)


class _Sts:
    def __init__(self, account: MemoryAccount, _region: str) -> None:
        self._account = account

    def get_caller_identity(self) -> Answer:
        arn = f"arn:aws:sts::{self._account.id}:assumed-role/audit/run"
        identity = {"Account": self._account.id, "Arn": arn}
        return self._account.send(Request("GetCallerIdentity", "eu-west-1", lambda: identity))


class _Ses:
    def __init__(self, account: MemoryAccount, _region: str) -> None:
        self._account = account

    def create_email_identity(self, **_: Any) -> None:
        """Nothing to do: every address may send."""

    def send_email(self, FromEmailAddress: str, Destination: Answer, Content: Answer) -> Answer:  # noqa: N803
        raw: bytes = Content["Raw"]["Data"]
        recipients = tuple(Destination["ToAddresses"])

        def accept() -> Answer:
            message = email.message_from_bytes(raw, policy=email.policy.default)
            mail = Mail("eu-west-1", FromEmailAddress, recipients, message, raw)
            self._account.accepted.append(mail)
            return {"MessageId": str(len(self._account.accepted))}

        url = "/v2/email/outbound-emails"
        return self._account.send(Request("SendEmail", "eu-west-1", accept, url=url))


class _S3:
    """One bucket, with the conditional writes of S3."""

    def __init__(self, account: MemoryAccount, _region: str) -> None:
        self._account = account
        self._objects: dict[str, tuple[bytes, datetime]] = {}

    def create_bucket(self, **_: Any) -> None:
        """Nothing to do: there is one bucket."""

    def get_object(self, Bucket: str, Key: str, **condition: str) -> Answer:  # noqa: N803
        def read() -> Answer:
            if Key not in self._objects:
                raise _refusal(_NO_SUCH_KEY)
            body, modified = self._objects[Key]
            headers = {"date": format_datetime(self._account.now(), usegmt=True)}
            headers["last-modified"] = format_datetime(modified, usegmt=True)
            if condition.get("IfNoneMatch") == _etag(body):
                raise _refusal(_NOT_MODIFIED, headers)
            metadata = {"HTTPHeaders": headers}
            return {"Body": BytesIO(body), "ETag": _etag(body), "ResponseMetadata": metadata}

        request = Request("GetObject", "eu-west-1", read, "GET", f"/{Bucket}/{Key}")
        return self._account.send(request)

    def put_object(self, Bucket: str, Key: str, Body: bytes | IO[bytes], **headers: str) -> Answer:  # noqa: N803
        def write() -> Answer:
            stored = self._objects.get(Key)
            if "IfMatch" in headers and stored is None:
                raise _refusal(_NO_SUCH_KEY)
            etag = _etag(stored[0]) if stored else None
            has_changed = "IfMatch" in headers and etag != headers["IfMatch"]
            if has_changed or ("IfNoneMatch" in headers and stored is not None):
                raise _refusal(_PRECONDITION_FAILED)
            content = Body if isinstance(Body, bytes) else Body.read()
            self._objects[Key] = content, self._account.now()
            return {"ETag": _etag(content)}

        request = Request("PutObject", "eu-west-1", write, "PUT", f"/{Bucket}/{Key}")
        return self._account.send(request)

    def delete_object(self, Key: str, **_: Any) -> None:  # noqa: N803
        del self._objects[Key]

    def list_objects_v2(self, **_: Any) -> Answer:
        return {"Contents": [{"Key": key} for key in sorted(self._objects)]}


def _etag(body: bytes) -> str:
    return f'"{md5(body).hexdigest()}"'  # noqa: S324 -- S3's own choice


class _Ec2:
    """The security groups of a region, and the network interfaces that have them."""

    def __init__(self, account: MemoryAccount, region: str) -> None:
        self._account = account
        self._region = region
        self._groups: dict[str, Answer] = {}
        self._interfaces: dict[str, Answer] = {}
        # The handler registers its own reader of the XML, which there is none of here.
        self.meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_, **__: None))

    def create_security_group(self, GroupName: str, Description: str) -> Answer:  # noqa: N803
        group_id = f"sg-{self._region}-{len(self._groups)}"
        self._groups[group_id] = {
            "GroupId": group_id,
            "GroupName": GroupName,
            "Description": Description,
            "VpcId": f"vpc-{self._region}",
            "OwnerId": self._account.id,
            "IpPermissions": [],
        }
        return {"GroupId": group_id}

    def delete_security_group(self, GroupId: str) -> None:  # noqa: N803
        del self._groups[GroupId]

    def authorize_security_group_ingress(self, GroupId: str, IpPermissions: list[Answer]) -> None:  # noqa: N803
        self._groups[GroupId]["IpPermissions"] += IpPermissions

    def revoke_security_group_ingress(self, GroupId: str, IpPermissions: list[Answer]) -> None:  # noqa: N803
        for permission in IpPermissions:
            self._groups[GroupId]["IpPermissions"].remove(permission)

    def describe_subnets(self) -> Answer:
        return {"Subnets": [{"SubnetId": f"subnet-{self._region}"}]}

    def create_network_interface(self, SubnetId: str, Groups: list[str]) -> Answer:  # noqa: N803
        interface: Answer = {
            "NetworkInterfaceId": f"eni-{len(self._interfaces)}",
            "SubnetId": SubnetId,
            "Groups": [{"GroupId": group_id} for group_id in Groups],
        }
        self._interfaces[interface["NetworkInterfaceId"]] = interface
        return {"NetworkInterface": interface}

    def allocate_address(self, **_: Any) -> Answer:
        return {"AllocationId": "eipalloc-1"}

    def associate_address(self, NetworkInterfaceId: str, **_: Any) -> None:  # noqa: N803
        self._interfaces[NetworkInterfaceId]["Association"] = {"PublicIp": "52.0.0.1"}

    def get_paginator(self, operation: str) -> Any:
        """The items of a Describe operation, in one page."""
        name = "".join(word.capitalize() for word in operation.split("_"))
        operations: dict[str, tuple[str, Callable[[set[str]], Iterator[Answer]]]] = {
            "describe_security_groups": ("SecurityGroups", self._group_items),
            "describe_security_group_rules": ("SecurityGroupRules", self._rule_items),
            "describe_network_interfaces": ("NetworkInterfaces", self._interface_items),
            "describe_route_tables": ("RouteTables", lambda _: iter(())),
            "describe_network_acls": ("NetworkAcls", lambda _: iter(())),
        }
        key, items = operations[operation]

        def paginate(**arguments: Any) -> Iterator[Answer]:
            filters = arguments.get("Filters", ())
            values = {value for condition in filters for value in condition["Values"]}
            yield self._send(Request(name, self._region, lambda: {key: list(items(values))}))

        return SimpleNamespace(paginate=paginate)

    def describe_vpc_block_public_access_options(self) -> Answer:
        options = {"InternetGatewayBlockMode": "off", "State": "default-state"}
        answer = {"VpcBlockPublicAccessOptions": options}
        name = "DescribeVpcBlockPublicAccessOptions"
        return self._send(Request(name, self._region, lambda: answer))

    def _send(self, request: Request) -> Answer:
        """The answer, with the retries of botocore for a throttled request."""
        for _ in range(_EC2_ATTEMPTS - 1):
            try:
                return self._account.send(request)
            except ClientError as error:
                if error.response["Error"]["Code"] != _THROTTLED:
                    raise
        return self._account.send(request)

    def _group_items(self, _: set[str]) -> Iterator[Answer]:
        for group in self._groups.values():
            yield group | {"IpPermissions": list(group["IpPermissions"])}

    def _rule_items(self, group_ids: set[str]) -> Iterator[Answer]:
        for group_id in sorted(group_ids):
            for permission in self._groups[group_id]["IpPermissions"]:
                yield from _rules(group_id, permission)

    def _interface_items(self, group_ids: set[str]) -> Iterator[Answer]:
        for interface in self._interfaces.values():
            if group_ids & {group["GroupId"] for group in interface["Groups"]}:
                yield interface


def _rules(group_id: str, permission: Mapping[str, Any]) -> Iterator[Answer]:
    port, protocol = permission["FromPort"], permission["IpProtocol"]
    for source in permission["IpRanges"]:
        yield {
            "SecurityGroupRuleId": f"sgr-{group_id}-{port}-{source['CidrIp']}",
            "GroupId": group_id,
            "IsEgress": False,
            "IpProtocol": protocol,
            "FromPort": port,
            "ToPort": permission["ToPort"],
            "CidrIpv4": source["CidrIp"],
        }


_CLIENTS: Mapping[str, Callable[[MemoryAccount, str], Any]] = {
    "ec2": _Ec2,
    "s3": _S3,
    "sesv2": _Ses,
    "sts": _Sts,
}
