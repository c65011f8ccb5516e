"""The objects in S3 through which the functions of a run pass on their results."""

from typing import Any

from handler import aws, clock

_MISSING = frozenset({"NoSuchKey", "404"})
_EXISTS = frozenset({"PreconditionFailed", "412"})
# Another conditional write is in progress, which may fail.
_IN_PROGRESS = frozenset({"ConditionalRequestConflict", "409"})
_ATTEMPTS = 3


class RunObjects:
    """The objects of one run. Every method raises one of ``aws.FAILURES``."""

    def __init__(self, s3: Any, bucket: str, run: str) -> None:
        """``s3`` is a boto3 client."""
        self._s3 = s3
        self._bucket = bucket
        self.accounts_key = f"plans/{run}/accounts.json"
        self.plan_key = f"plans/{run}/plan.json"
        self._run = run

    def scan_key(self, account: str) -> str:
        """The key of an account's scan."""
        return f"scans/{self._run}/{account}.json.gz"

    def get(self, key: str) -> bytes | None:
        """An object; None if there is none."""
        try:
            body: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except aws.FAILURES as error:
            if aws.error_code(error) in _MISSING:
                return None
            raise
        return body

    def put_once(self, key: str, body: bytes) -> None:
        """Store an object unless the key has one."""
        kind = "application/gzip" if key.endswith(".gz") else "application/json"
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._s3.put_object(
                    Bucket=self._bucket, Key=key, Body=body, ContentType=kind, IfNoneMatch="*"
                )
            except aws.FAILURES as error:
                code = aws.error_code(error)
                if code in _EXISTS:
                    return
                if code not in _IN_PROGRESS or attempt == _ATTEMPTS:
                    raise
                clock.sleep(attempt)
            else:
                return
