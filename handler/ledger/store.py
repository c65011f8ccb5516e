"""The ledger's bucket in S3: one state, replaced only as it was read, and a report for each run."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handler import aws, clock
from handler.ledger.state import LedgerState, StateError, decode_state, encode_state
from handler.model.run import Report
from handler.report.json_report import report_to_json

STATE_KEY = "state.json"
_MISSING = frozenset({"NoSuchKey", "404"})
_PRECONDITION_FAILED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_RETRY_PAUSES = (1, 2)


def report_key(run: str, started_at: str) -> str:
    """The key of a run's report, for example reports/2026/11/23/<run>.json."""
    day = clock.day_of(started_at).replace("-", "/")
    return f"reports/{day}/{re.sub(r'[^A-Za-z0-9_-]', '_', run)}.json"


class ConflictError(Exception):
    """Another run has changed the state since it was read."""


class StoreError(Exception):
    """The bucket cannot be read or written; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """The state as it was read, and the ETag that the next write must find; None for no object.

    Without a state it is not known what was before, and ``problem`` says why.
    """

    state: LedgerState | None = field(default_factory=LedgerState)
    etag: str | None = None
    problem: str | None = None


class LedgerStore:
    """Where a run reads and writes the ledger; this one knows nothing and keeps nothing.

    The methods of other stores raise ``StoreError``.
    """

    def load(self, _run: str) -> LedgerHead:
        """What is known. A state that cannot be decoded is stored aside under the run's name."""
        return LedgerHead(state=None)

    def has_changed(self, _head: LedgerHead) -> bool:
        """Whether another run has written since the head was read."""
        return False

    def replace(self, head: LedgerHead, _state: LedgerState) -> LedgerHead:
        """Store a state in place of the head. Raises ``ConflictError`` if it has changed."""
        return head

    def save_report(self, report: Report) -> None:
        """Store a run's report as JSON."""


class BucketStore(LedgerStore):
    """The bucket of one stack's ledger."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """``s3`` is a boto3 client."""
        self._s3 = s3
        self._bucket = bucket

    def load(self, run: str) -> LedgerHead:
        """The state in the bucket."""
        body, etag = self._get()
        if body is None:
            return LedgerHead()
        try:
            return LedgerHead(decode_state(body), etag)
        except StateError as error:
            key = f"aside/{run}.json"
            try:
                self._put(key, body)
            except aws.FAILURES as failure:
                message = f"{error} It could not be kept aside: {aws.error_text(failure)}"
                raise StoreError(message) from failure
            return LedgerHead(None, etag, f"{error} It is kept as {key}, and a new one begins.")

    def has_changed(self, head: LedgerHead) -> bool:
        """Whether the ETag is another one."""
        return self._get()[1] != head.etag

    def replace(self, head: LedgerHead, state: LedgerState) -> LedgerHead:
        """One conditional PUT."""
        body = encode_state(state)
        condition = {"IfMatch": head.etag} if head.etag else {"IfNoneMatch": "*"}
        for pause in (*_RETRY_PAUSES, None):
            try:
                return LedgerHead(state, self._put(STATE_KEY, body, condition))
            except aws.FAILURES as error:
                if aws.error_code(error) not in _PRECONDITION_FAILED or pause is None:
                    message = f"The ledger could not be written: {aws.error_text(error)}"
                    raise StoreError(message) from error
                stored, etag = self._get()
                if stored == body:
                    # The answer to an earlier attempt was lost, and this one found its write.
                    return LedgerHead(state, etag)
                if etag != head.etag:
                    raise ConflictError from error
                # S3 refuses a conditional write while another one is in progress.
                clock.sleep(pause)
        raise ConflictError

    def save_report(self, report: Report) -> None:
        """An object of its own, under ``report_key``."""
        key = report_key(report.run.id, report.run.started_at)
        try:
            self._put(key, json.dumps(report_to_json(report), separators=(",", ":")).encode())
        except aws.FAILURES as error:
            message = f"The report could not be stored: {aws.error_text(error)}"
            raise StoreError(message) from error

    def _get(self) -> tuple[bytes | None, str | None]:
        """The stored state and its ETag; None where there is none."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=STATE_KEY)
            return answer["Body"].read(), answer["ETag"]
        except aws.FAILURES as error:
            if aws.error_code(error) in _MISSING:
                return None, None
            message = f"The ledger could not be read: {aws.error_text(error)}"
            raise StoreError(message) from error

    def _put(self, key: str, body: bytes, condition: Mapping[str, str] | None = None) -> str:
        answer = self._s3.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=body,
            ContentType="application/json",
            **(condition or {}),
        )
        return str(answer["ETag"])
