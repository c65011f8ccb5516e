"""AWS's wire formats: reads the operation of an HTTP request, and writes its response."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from xml.sax.saxutils import escape

from botocore.parsers import create_parser
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from botocore.model import Shape

REQUEST_ID = "5a4db0c5-0000-4000-8000-000000000000"

# The services whose name in a signature is not the name that boto3 gives their client.
_CLIENT_NAMES = {"monitoring": "cloudwatch", "states": "stepfunctions"}

_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/")

_XML_ERRORS = {
    "ec2": "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    "</Errors><RequestID>{request_id}</RequestID></Response>",
    "query": "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
    "<Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
    "rest-xml": "<Error><Code>{code}</Code><Message>{message}</Message>"
    "<RequestId>{request_id}</RequestId></Error>",
}


@dataclass(frozen=True)
class Operation:
    """One request to AWS, understood with botocore's model of its service.

    ``caller`` is the access key id that signed it, ``account`` the account that it is about.
    """

    service: str
    region: str
    caller: str
    account: str
    model: OperationModel
    request: Request
    body: bytes
    uri_parameters: dict[str, Any]

    @property
    def name(self) -> str:
        """The operation as AWS spells it, for example DescribeSecurityGroups."""
        return str(self.model.name)

    @property
    def protocol(self) -> str:
        """The wire format of this request and of its answer."""
        return determine_request_protocol(self.model.service_model, self.request.content_type)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The parameters as boto3's caller gave them."""
        parsed: dict[str, Any] = PROTOCOL_PARSERS[self.protocol](self.model, map_type=dict).parse(
            {
                "method": self.request.method,
                "values": self.request.values,
                "headers": self.request.headers,
                "body": self.body,
                "url_path": self.request.path,
                "url_params": self.uri_parameters,
            }
        )
        return parsed

    def answer(self, result: dict[str, Any]) -> Response:
        """The response with ``result``, a dictionary as boto3 returns it."""
        serializer = get_serializer_class(self.service, self.protocol)
        wire = serializer(self.model, SerializationContext(REQUEST_ID)).serialize(result)
        return Response(wire["body"], wire["status_code"], wire["headers"])

    def refusal(self, code: str, message: str, status: int = 400) -> Response:
        """The error response from which boto3 raises a ClientError with this code."""
        if template := _XML_ERRORS.get(self.protocol):
            body = template.format(
                code=escape(code), message=escape(message), request_id=REQUEST_ID
            )
            return Response(body, status, content_type="text/xml")
        return Response(
            json.dumps({"__type": code, "message": message}),
            status,
            {"x-amzn-errortype": code, "x-amzn-requestid": REQUEST_ID},
            content_type="application/json",
        )

    def read(self, response: Response) -> dict[str, Any]:
        """The content of a response, as the dictionary that boto3 would return."""
        wire = {
            "body": response.get_data(),
            "headers": dict(response.headers),
            "status_code": response.status_code,
        }
        shape = cast("Shape", self.model.output_shape)  # None is fine; the stub does not say so
        parsed: dict[str, Any] = create_parser(self.protocol).parse(wire, shape)
        parsed.pop("ResponseMetadata", None)
        return parsed

    def environ(self) -> dict[str, Any]:
        """A WSGI environment of this request with an unread body, which tells moto the account."""
        fresh = {
            "HTTP_X_MOTO_ACCOUNT_ID": self.account,
            "wsgi.input": io.BytesIO(self.body),
            "CONTENT_LENGTH": str(len(self.body)),
        }
        return {**self.request.environ, **fresh}


def understand(environ: dict[str, Any], account_of: Callable[[str], str]) -> Operation | None:
    """The operation a signed request asks for; None if it is unsigned or in no botocore model.

    ``account_of`` is the account of an access key. Afterwards the body can be read again from
    ``environ``.
    """
    body = Request(dict(environ)).get_data()
    environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    credential = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if credential is None:
        return None
    service = _CLIENT_NAMES.get(credential["service"], credential["service"])
    if service == "ses" and environ["PATH_INFO"].startswith("/v2/"):
        service = "sesv2"
    request = Request({**environ, "wsgi.input": io.BytesIO(body)})
    try:
        model, uri_parameters = get_service_router(service).match(request)
    except NotFound:
        return None
    return Operation(
        service=service,
        region=credential["region"],
        caller=credential["key"],
        account=account_of(credential["key"]),
        model=model,
        request=request,
        body=body,
        uri_parameters=uri_parameters,
    )
