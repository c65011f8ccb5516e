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
# How long a run may take from saying that it will mail to having written that it did. Whoever takes
# longer is overtaken by the next run, which then says that it may repeat a mail.
_MAILING = timedelta(seconds=45)
_MISSING = frozenset({"NoSuchKey", "404"})
_LOST = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_PAUSES = (1, 2)


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
    def is_mailing(self) -> bool:
        """Whether a run that said it would mail may still be at it."""
        mailing = self.state.mailing if self.state else None
        if mailing is None:
            return False
        left = datetime.fromisoformat(mailing.until) - clock.now()
        return timedelta() < left <= _MAILING

    @property
    def died(self) -> str | None:
        """The run that died between its mail and its commit, if one did since all was read."""
        if self.state is None or self.is_mailing:
            return None
        return self.state.mailing.run if self.state.mailing else self.state.died


class Store:
    """The bucket of one stack's ledger."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def load(self, run: str) -> Known:
        """What is known. A state that makes no sense is kept aside under the run's name.

        Raises ``StoreError``.
        """
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

    def settle(self, known: Known, seconds: float) -> None:
        """Wait until no other run is mailing, and that many seconds at most.

        Raises ``ConflictError`` when one still is, or was: what is known is old then.
        """
        waited = 0
        while known.is_mailing:
            _, etag = self._get()
            if etag != known.etag or waited >= seconds:
                raise ConflictError
            clock.sleep(1)
            waited += 1

    def claim(self, known: Known, run: str, seconds: float) -> Known:
        """Say that a run is about to mail, which ends in that many seconds.

        Raises ``ConflictError`` and ``StoreError``.
        """
        span = min(_MAILING.total_seconds(), seconds)
        until = (clock.now() + timedelta(seconds=span)).isoformat(timespec="milliseconds")
        mailing = Mailing(run, until, uuid.uuid4().hex)
        state = replace(known.state or State(), mailing=mailing, died=known.died)
        return self.commit(known, state)

    def commit(self, known: Known, state: State) -> Known:
        """Store a state in place of the known one. Raises ``ConflictError`` and ``StoreError``."""
        body = dumps(state)
        condition = {"IfMatch": known.etag} if known.etag else {"IfNoneMatch": "*"}
        for pause in (*_PAUSES, None):
            try:
                return Known(state, self._put(STATE_KEY, body, condition))
            except aws.FAILURES as error:
                if aws.code(error) not in _LOST or pause is None:
                    message = f"The ledger could not be written: {aws.sentence(error)}"
                    raise StoreError(message) from error
                there, etag = self._get()
                if there == body:
                    # A write whose answer got lost is sent again, and then finds itself there.
                    return Known(state, etag)
                if etag != known.etag:
                    raise ConflictError from error
                # S3 was busy with something else.
                clock.sleep(pause)
        raise ConflictError

    def save_report(self, report: Mapping[str, Any]) -> None:
        """Store a run's report. Raises ``StoreError``."""
        key = report_key(report["run"]["id"], report["run"]["startedAt"])
        try:
            self._put(key, json.dumps(report, separators=(",", ":")).encode())
        except aws.FAILURES as error:
            message = f"The report could not be stored: {aws.sentence(error)}"
            raise StoreError(message) from error

    def _get(self) -> tuple[bytes | None, str | None]:
        """The stored state and its version; None where there is none. Raises ``StoreError``."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=STATE_KEY)
            return answer["Body"].read(), answer["ETag"]
        except aws.FAILURES as error:
            if aws.code(error) in _MISSING:
                return None, None
            message = f"The ledger could not be read: {aws.sentence(error)}"
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
