"""The part of AWS that the measured ways call, on the loopback, in a process of its own.

``python -m benchmarks.endpoint`` writes its address as a line to standard output, and ends when its
standard input does. Every region has the same groups.
"""

import hashlib
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import click
from werkzeug.datastructures import MultiDict
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from benchmarks import groups

CALLS_PATH = "/calls"
"""The path of the number of calls of each operation."""
BUCKET = "ledger"
"""The name of the bucket."""
REGIONS = tuple(f"eu-test-{number}" for number in range(1, 18))
"""All regions that are enabled."""
_MAIL_PATH = "/v2/email/outbound-emails"
_PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<{operation}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
<requestId>00000000-0000-4000-8000-000000000000</requestId>
<{container}>{items}</{container}>{next_token}
</{operation}Response>"""
_CALLER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult>
</GetCallerIdentityResponse>"""
_EMAIL_SENT = """<SendEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/">
<SendEmailResult><MessageId>message</MessageId></SendEmailResult></SendEmailResponse>"""
_REGIONS = """<DescribeRegionsResponse><regionInfo>{items}</regionInfo></DescribeRegionsResponse>"""
_BLOCK_OPTIONS = """<DescribeVpcBlockPublicAccessOptionsResponse>
<vpcBlockPublicAccessOptions><internetGatewayBlockMode>off</internetGatewayBlockMode>
</vpcBlockPublicAccessOptions></DescribeVpcBlockPublicAccessOptionsResponse>"""
_FIXED = {
    "DescribeVpcBlockPublicAccessOptions": _BLOCK_OPTIONS,
    "GetCallerIdentity": _CALLER,
    "SendEmail": _EMAIL_SENT,
}

Form = MultiDict[str, str]


class Endpoint:
    """A WSGI application that answers as EC2, SES and STS do, and counts."""

    def __init__(self, count: int, *, single_addresses: bool, seconds: float) -> None:
        self._single_addresses = single_addresses
        self._seconds = seconds
        self._calls: Counter[str] = Counter()
        # Made beforehand, because this process shares the machine with the measured one.
        self._groups = [
            groups.group_xml(index, single_addresses=single_addresses) for index in range(count)
        ]
        self._objects: dict[str, bytes] = {}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request; an operation that neither way calls is not found."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path == CALLS_PATH:
            # Each measurement begins with an empty bucket.
            self._objects.clear()
            return Response(json.dumps(self._calls), mimetype="application/json")
        time.sleep(self._seconds)
        if request.path.startswith(f"/{BUCKET}/"):
            return self._stored(request)
        form = request.form
        operation = "SendEmail" if request.path == _MAIL_PATH else form.get("Action", "")
        self._calls[operation] += 1
        if request.path == _MAIL_PATH:
            return Response('{"MessageId": "message"}', mimetype="application/json")
        if operation in _FIXED:
            return Response(_FIXED[operation], mimetype="text/xml")
        return self._describe(operation, form)

    def _stored(self, request: Request) -> Response:
        """An object of the ledger's bucket; conditions are ignored."""
        self._calls[request.method] += 1
        if request.method == "PUT":
            self._objects[request.path] = request.get_data()
        if (body := self._objects.get(request.path)) is None:
            return Response("<Error><Code>NoSuchKey</Code></Error>", 404)
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return Response(b"" if request.method == "PUT" else body, headers={"ETag": f'"{etag}"'})

    def _describe(self, operation: str, form: Form) -> Response:
        items: Sequence[str]
        match operation:
            case "DescribeRegions":
                names = "".join(f"<item><regionName>{name}</regionName></item>" for name in REGIONS)
                return Response(_REGIONS.format(items=names), mimetype="text/xml")
            case "DescribeSecurityGroups":
                container, items = "securityGroupInfo", self._groups
            case "DescribeSecurityGroupRules":
                container = "securityGroupRuleSet"
                items = [
                    item
                    for index in self._filtered(form)
                    for item in groups.rules_xml(index, single_addresses=self._single_addresses)
                ]
            case "DescribeNetworkInterfaces":
                container = "networkInterfaceSet"
                # There is no load balancer and no accelerator.
                has_groups = form.get("Filter.1.Name") == "group-id"
                indexes = self._filtered(form) if has_groups else ()
                items = [item for index in indexes for item in groups.interfaces_xml(index)]
            case "DescribeRouteTables":
                container, items = "routeTableSet", []
            case "DescribeNetworkAcls":
                container, items = "networkAclSet", []
            case "DescribeManagedPrefixLists":
                container = "prefixListSet"
                items = list(map(groups.prefix_list_xml, _filter_values(form)))
            case "GetManagedPrefixListEntries":
                container, items = "entrySet", list(groups.entries_xml())
            case _:
                return Response(f"No operation {operation!r} here.", 404)
        return _page(operation, container, items, form)

    def _filtered(self, form: Form) -> Iterator[int]:
        """The groups that the request filters by; without a filter, the open ones."""
        if identifiers := list(_filter_values(form)):
            return map(groups.index_of, identifiers)
        return filter(groups.is_open, range(len(self._groups)))


class _Handler(WSGIRequestHandler):
    """Keeps connections open, as AWS does, and writes no log."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None:
        """Log nothing: a line for each request would cost more than the answer."""


def _filter_values(form: Form) -> Iterator[str]:
    return (value for key, value in form.items() if key.startswith("Filter.1.Value"))


def _page(operation: str, container: str, items: Sequence[str], form: Form) -> Response:
    """The items that the request's token and page size select; all of them without a size."""
    start = int(form.get("NextToken", 0))
    end = start + int(form.get("MaxResults", len(items)))
    token = f"<nextToken>{end}</nextToken>" if end < len(items) else ""
    page = _PAGE.format(
        operation=operation,
        container=container,
        items="".join(items[start:end]),
        next_token=token,
    )
    return Response(page, mimetype="text/xml")


@click.command()
@click.argument("count", type=int)
@click.option("--single-addresses", is_flag=True, help="Every second group lets one address in.")
@click.option("--seconds", default=0.0, help="How long an answer takes.")
def _main(count: int, *, single_addresses: bool, seconds: float) -> None:
    """Serve that many groups."""
    application = Endpoint(count, single_addresses=single_addresses, seconds=seconds)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.port}\n")
    sys.stdout.flush()
    # Ends with the process that started it, however that one ends.
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    _main()
