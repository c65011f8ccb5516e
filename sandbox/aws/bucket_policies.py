"""The policies of buckets, because moto applies every statement as if it had no condition."""

import json
from typing import Any

from werkzeug.wrappers import Response

from sandbox.aws.protocol import Operation


class BucketPolicies:
    """The policies of the account's buckets as they were put, by the bucket's name."""

    def __init__(self) -> None:
        self._documents: dict[str, bytes] = {}

    def store(self, operation: Operation) -> bytes:
        """Store the policy of a PutBucketPolicy; returns it with the statements that moto applies.

        A statement against requests without TLS is left out, because the account's own plain HTTP
        stands for AWS's HTTPS.
        """
        self._documents[operation.parameters["Bucket"]] = operation.body
        document = json.loads(operation.body)
        document["Statement"] = [s for s in document["Statement"] if not _is_about_plain_http(s)]
        return json.dumps(document).encode()

    def amend(self, operation: Operation, response: Response) -> Response:
        """The response with the policy as it was put."""
        response.set_data(self._documents[operation.parameters["Bucket"]])
        return response


def _is_about_plain_http(statement: dict[str, Any]) -> bool:
    condition = statement.get("Condition", {}).get("Bool", {})
    return str(condition.get("aws:SecureTransport")).lower() == "false"
