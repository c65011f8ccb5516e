"""The ledger's bucket in S3: conditional writes of the head, and immutable objects."""

import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from tempfile import TemporaryFile
from typing import IO, Any

from handler import aws, clock
from handler.ledger import state_version_1
from handler.ledger.head import (
    KNOWN_PREFIX,
    DecodeError,
    Head,
    NewerVersionError,
    Pointer,
    decode_head,
    encode_head,
    writer_of,
)
from handler.ledger.store import ConflictError, LedgerStore, StoredHead, StoreError
from handler.model.audit_report import Report
from handler.model.run import Run
from handler.report.json_report import json_pieces

HEAD_KEY = "head.json"
_MISSING = frozenset({"NoSuchKey", "404"})
_UNCHANGED = frozenset({"304", "NotModified"})
# S3 answers 409 while another conditional write is in progress, and 404 if a condition names the
# ETag of a deleted object.
_MAY_BE_WRITTEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_ATTEMPTS = 3


def report_key(run: str, started_at: str) -> str:
    """The key of a run's report, for example reports/2026/11/23/<run>.json."""
    day = clock.day_of(started_at).replace("-", "/")
    return f"reports/{day}/{_safe(run)}.json"


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)


class BucketStore(LedgerStore):
    """The bucket of one stack's ledger."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """``s3`` is a boto3 client."""
        self._s3 = s3
        self._bucket = bucket

    def load(self, run: str) -> StoredHead:
        """The head in the bucket, or that of version 1 if it is newer."""
        response = self._get(HEAD_KEY)
        stored = self._decoded(response, run) if response else StoredHead()
        return stored if stored.head is None else self._with_old_state(stored, run)

    def reload(self, stored: StoredHead) -> StoredHead:
        """One conditional GET."""
        condition = {"IfNoneMatch": stored.etag} if stored.etag else {}
        try:
            response = self._s3.get_object(Bucket=self._bucket, Key=HEAD_KEY, **condition)
            body = response["Body"].read()
        except aws.FAILURES as error:
            if aws.error_code(error) in _UNCHANGED:
                return stored._replace(age=_age(getattr(error, "response", {}), stored))
            if aws.error_code(error) in _MISSING and stored.etag is None:
                return stored
            raise self._unreadable(error) from error
        return self._decoded({**response, "Body": body}, "reload")

    def account_object(self, pointer: Pointer) -> bytes | None:
        """The object in the bucket."""
        response = self._get(pointer.key)
        return response["Body"] if response else None

    def put_account(self, account: str, stored: bytes, run: str, count: int) -> Pointer:
        """Store it under a new key."""
        # Objects are immutable: another attempt at the same run writes another one.
        key = f"{KNOWN_PREFIX}{_safe(account)}/{_safe(run)}-{uuid.uuid4().hex}.json.gz"
        try:
            self._put(key, stored)
        except aws.FAILURES as error:
            raise self._unwritable(error) from error
        return Pointer(key, clock.timestamp(), count)

    def replace(self, stored: StoredHead, head: Head) -> StoredHead:
        """One conditional PUT; if its response is lost, the stored writer tells if it succeeded."""
        if stored.is_read_only:
            raise StoreError(f"The ledger was not written: {stored.problem}")
        writer = uuid.uuid4().hex
        body = encode_head(head, writer)
        condition = {"IfMatch": stored.etag} if stored.etag else {"IfNoneMatch": "*"}
        failure: Exception | None = None
        for attempt in range(_ATTEMPTS):
            if attempt:
                # S3 refuses a conditional write while another one is in progress.
                clock.sleep(attempt)
            try:
                return StoredHead(head, self._put(HEAD_KEY, body, condition))
            except aws.FAILURES as error:
                code = aws.error_code(error)
                if aws.is_refusal(error) and code not in _MAY_BE_WRITTEN | _MISSING:
                    raise self._unwritable(error) from error
                failure = error
            response = self._get(HEAD_KEY)
            if response and writer_of(response["Body"]) == writer:
                return StoredHead(head, response["ETag"])
            if (response["ETag"] if response else None) != stored.etag:
                raise ConflictError
        if failure and aws.is_refusal(failure):
            raise ConflictError
        raise self._unwritable(failure or ValueError()) from failure

    def save_report(self, report: Report) -> None:
        """Store it under ``report_key``."""
        with TemporaryFile() as file:
            file.writelines(piece.encode() for piece in json_pieces(report))
            self._save(report_key(report.run.id, report.run.started_at), file)

    def save_report_file(self, run: Run, file: IO[bytes]) -> None:
        """Store it under ``report_key`` with .gz at the end."""
        self._save(f"{report_key(run.id, run.started_at)}.gz", file)

    def _save(self, key: str, file: IO[bytes]) -> None:
        file.seek(0)
        try:
            self._put(key, file)
        except aws.FAILURES as error:
            raise StoreError(f"The report could not be stored: {aws.error_text(error)}") from error

    def _decoded(self, response: Mapping[str, Any], run: str) -> StoredHead:
        etag, age = response["ETag"], _age(response)
        try:
            return StoredHead(decode_head(response["Body"]), etag, age)
        except NewerVersionError as error:
            problem = f"{error} It stays as it is until the newer program runs again."
            return StoredHead(None, etag, age, problem, is_read_only=True)
        except DecodeError as error:
            problem = self._aside(run, response["Body"], error)
            return StoredHead(None, etag, age, problem)

    def _with_old_state(self, stored: StoredHead, run: str) -> StoredHead:
        """The head, or that of version 1 if that program has run since."""
        head = stored.head or Head()
        response = self._get(state_version_1.KEY, head.old_state_etag)
        # If the condition was ignored, the ETag shows that nothing has changed.
        if response is None or response["ETag"] == head.old_state_etag:
            return stored
        try:
            old = state_version_1.decode_old_state(response["Body"], response["ETag"])
        except DecodeError as error:
            if head.runs:
                return stored
            return stored._replace(head=None, problem=self._aside(run, response["Body"], error))
        last_run_at = head.runs[-1].started_at if head.runs else ""
        old_run_at = old.head.runs[-1].started_at if old.head.runs else ""
        if old_run_at <= last_run_at:
            return stored._replace(head=head._replace(old_state_etag=response["ETag"]))
        merged = old.head._replace(
            events={**head.events, **old.head.events},
            claim=head.claim,
            pending=head.pending,
            abandoned=(*head.abandoned, *old.head.abandoned),
            follow_ups=head.follow_ups,
        )
        return stored._replace(head=merged, old_accounts=old.accounts)

    def _aside(self, run: str, body: bytes, error: DecodeError) -> str:
        """Copy a corrupt object to aside/; the error and the copy's key, in a sentence each."""
        key = f"aside/{_safe(run)}.json"
        try:
            self._put(key, body)
        except aws.FAILURES as failure:
            raise StoreError(
                f"{error} It could not be kept aside: {aws.error_text(failure)}"
            ) from failure
        return f"{error} It is kept as {key}, and a new one begins."

    def _get(self, key: str, known_etag: str | None = None) -> dict[str, Any] | None:
        """An object with its body; None if there is none, or if it has the known ETag."""
        condition = {"IfNoneMatch": known_etag} if known_etag else {}
        try:
            response = self._s3.get_object(Bucket=self._bucket, Key=key, **condition)
            return {**response, "Body": response["Body"].read()}
        except aws.FAILURES as error:
            if aws.error_code(error) in _MISSING | _UNCHANGED:
                return None
            raise self._unreadable(error) from error

    def _put(
        self, key: str, body: bytes | IO[bytes], condition: Mapping[str, str] | None = None
    ) -> str:
        response = self._s3.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=body,
            ContentType="application/gzip" if key.endswith(".gz") else "application/json",
            **(condition or {}),
        )
        return str(response["ETag"])

    def _unreadable(self, error: Exception) -> StoreError:
        return StoreError(f"The ledger could not be read: {aws.error_text(error)}")

    def _unwritable(self, error: Exception) -> StoreError:
        return StoreError(f"The ledger could not be written: {aws.error_text(error)}")


def _age(response: Mapping[str, Any], known: StoredHead | None = None) -> timedelta:
    """How long ago S3 wrote the object of a response, by its own clock."""
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    modified = response.get("LastModified") or headers.get("last-modified")
    try:
        now = parsedate_to_datetime(headers["date"])
        if isinstance(modified, str):
            modified = parsedate_to_datetime(modified)
        return now - modified if isinstance(modified, datetime) else timedelta()
    except (KeyError, TypeError, ValueError):
        return known.age if known else timedelta()
