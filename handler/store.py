"""The ledger's bucket in S3: the state, written under a condition, and a report for each run.

A run that is about to mail says so in the state first. Whoever finds that said, and not taken back
in time, knows that the run died and that its mail may have gone out.
"""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from handler import aws, clock
from handler.ledger import Mailing, State
from handler.state import StateError, dumps, loads

STATE_KEY = "state.json"
# Longer than SES and S3 together take to answer or to be given up.
_MAILING = timedelta(seconds=45)
_MISSING = frozenset({"NoSuchKey", "404"})
_LOST = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


def report_key(run: str, started_at: str) -> str:
    """Where the report of a run is, for example reports/2026/11/23/<run>.json."""
    day = started_at[: len("2026-01-01")].replace("-", "/")
    return f"reports/{day}/{re.sub(r'[^A-Za-z0-9_-]', '_', run)}.json"


class ConflictError(Exception):
    """Another run has changed the state since it was read."""


class StoreError(Exception):
    """The bucket cannot be read or written; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the bucket held: the state, and the version of it, None for none.

    Without a state nobody knows what was before, and ``problem`` says why.
    """

    state: State | None = field(default_factory=State)
    etag: str | None = None
    problem: str | None = None

    @property
    def died(self) -> Mailing | None:
        """The run that died between its mail and its commit, if one did."""
        mailing = self.state.mailing if self.state else None
        return mailing if mailing and not _is_alive(mailing) else None


class Store:
    """The bucket of one stack's ledger."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def load(self, run: str) -> Known:
        """What is known. A state that makes no sense is kept aside under the run's name.

        Waits for a run that is mailing at this moment. Raises ``StoreError``.
        """
        while True:
            known = self._read(run)
            mailing = known.state.mailing if known.state else None
            if mailing is None or not _is_alive(mailing):
                return known
            clock.sleep(1)

    def claim(self, known: Known, run: str, seconds: float) -> Known:
        """Say that a run is about to mail, which ends in that many seconds.

        Raises ``ConflictError`` and ``StoreError``.
        """
        span = min(_MAILING.total_seconds(), seconds)
        until = (clock.now() + timedelta(seconds=span)).isoformat(timespec="milliseconds")
        return self.commit(
            known, replace(known.state or State(), mailing=Mailing(run, until, uuid.uuid4().hex))
        )

    def release(self, known: Known) -> None:
        """Take the claim back: nothing was mailed. Raises as ``commit`` does."""
        if known.state:
            self.commit(known, replace(known.state, mailing=None))

    def commit(self, known: Known, state: State) -> Known:
        """Store a state in place of the known one. Raises ``ConflictError`` and ``StoreError``."""
        body = dumps(state)
        condition = {"IfMatch": known.etag} if known.etag else {"IfNoneMatch": "*"}
        try:
            return Known(state, self._put(STATE_KEY, body, condition))
        except aws.FAILURES as error:
            if aws.code(error) not in _LOST:
                message = f"The ledger could not be written: {aws.sentence(error)}."
                raise StoreError(message) from error
            # A write whose answer got lost is sent again, and then finds itself there.
            there, etag = self._get()
            if there != body:
                raise ConflictError from error
            return Known(state, etag)

    def save_report(self, report: Mapping[str, Any]) -> str:
        """Store a run's report; the result is its key. Raises ``StoreError``."""
        key = report_key(report["run"]["id"], report["run"]["startedAt"])
        try:
            self._put(key, json.dumps(report, separators=(",", ":")).encode())
        except aws.FAILURES as error:
            message = f"The report could not be stored: {aws.sentence(error)}."
            raise StoreError(message) from error
        return key

    def _read(self, run: str) -> Known:
        body, etag = self._get()
        if body is None:
            return Known()
        try:
            return Known(loads(body), etag)
        except StateError as error:
            key = f"aside/{run}.json"
            try:
                self._put(key, body)
            except aws.FAILURES as failure:
                message = f"{error} It could not be kept aside: {aws.sentence(failure)}"
                raise StoreError(message) from failure
            return Known(None, etag, f"{error} It is kept as {key}, and a new one begins.")

    def _get(self) -> tuple[bytes | None, str | None]:
        """The stored state and its version; None where there is none."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=STATE_KEY)
            return answer["Body"].read(), answer["ETag"]
        except aws.FAILURES as error:
            if aws.code(error) in _MISSING:
                return None, None
            message = f"The ledger could not be read: {aws.sentence(error)}."
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


def _is_alive(mailing: Mailing) -> bool:
    """Whether a run that said it would mail may still be at it."""
    left = datetime.fromisoformat(mailing.until) - clock.now()
    return timedelta() < left <= _MAILING
