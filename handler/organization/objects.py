"""The objects in S3 through which the functions of a run pass on their results."""

from typing import Any

from handler import aws, clock
from handler.model.network import ACCOUNT_ID

_MISSING = frozenset({"NoSuchKey", "404"})
_EXISTS = frozenset({"PreconditionFailed", "412"})
# Another conditional write is in progress, which may fail.
_IN_PROGRESS = frozenset({"ConditionalRequestConflict", "409"})
_ATTEMPTS = 3


class Exchange:
    """The objects of one run. Every method raises one of ``aws.FAILURES``."""

    def __init__(self, s3: Any, bucket: str, run: str) -> None:
        """``s3`` is a boto3 client."""
        self._s3 = s3
        self._bucket = bucket
        self.accounts_key = f"plans/{run}/accounts.json"
        self.plan_key = f"plans/{run}/plan.json"
        self._scans = f"scans/{run}/"

    def scan_key(self, account: str) -> str:
        """The key of an account's scan."""
        if not ACCOUNT_ID.fullmatch(account):
            raise ValueError(f"{account!r:.40} is not an account ID")
        return f"{self._scans}{account}.json.gz"

    def get(self, key: str) -> bytes | None:
        """An object; None if there is none."""
        try:
            body: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except aws.FAILURES as error:
            if aws.error_code(error) in _MISSING:
                return None
            raise
        return body

    def put_once(self, key: str, body: bytes) -> bool:
        """Store an object unless the key has one; whether it was stored."""
        for attempt in range(1, _ATTEMPTS):
            try:
                return self._put_once(key, body)
            except aws.FAILURES as error:
                if aws.error_code(error) not in _IN_PROGRESS:
                    raise
            clock.sleep(attempt)
        return self._put_once(key, body)

    def _put_once(self, key: str, body: bytes) -> bool:
        kind = "application/gzip" if key.endswith(".gz") else "application/json"
        try:
            self._s3.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType=kind, IfNoneMatch="*"
            )
        except aws.FAILURES as error:
            if aws.error_code(error) in _EXISTS:
                return False
            raise
        return True
