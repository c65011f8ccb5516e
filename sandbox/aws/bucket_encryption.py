"""The encryption of buckets, of which moto does not return the blocked types."""

from typing import Any

from werkzeug.wrappers import Response

from sandbox.aws.protocol import Operation


def add_blocked_types(operation: Operation, response: Response, encryption: Any) -> Response:
    """The answer to GetBucketEncryption with the types that moto's record says are blocked."""
    if (blocked := encryption["Rule"].get("BlockedEncryptionTypes")) is None:
        return response
    types = blocked["EncryptionType"]
    result = operation.read(response)
    (rule,) = result["ServerSideEncryptionConfiguration"]["Rules"]
    # Moto keeps the parsed XML, in which a list of one item is the item.
    rule["BlockedEncryptionTypes"] = {
        "EncryptionType": [types] if isinstance(types, str) else types
    }
    return operation.answer(result)
