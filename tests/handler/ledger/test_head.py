"""The head of the ledger, as it is stored."""

import json

import pytest

from handler.ledger.head import (
    AbandonedRun,
    DecodeError,
    FollowUp,
    HandledEvent,
    Head,
    NewerVersionError,
    Pointer,
    SendClaim,
    decode_head,
    encode_head,
    writer_of,
)
from handler.ledger.state import RunSummary
from handler.model.finding import Severity
from handler.model.run import Trigger
from tests.support.documents import ODD_VALUES, changed, places

AT = "2026-11-23T06:00:00Z"
POINTER = Pointer("known/1/run-1-a.json.gz", AT, 5)
OPEN = dict.fromkeys(Severity, 1)
FULL = Head(
    accounts={"1": POINTER},
    runs=(
        RunSummary("run-1", Trigger.SCHEDULE, AT, 1, 0, OPEN, 0, mailed=True),
        RunSummary("run-2", Trigger.CHANGE, AT, 0, 1, OPEN, 1, mailed=False, problem="No."),
    ),
    events={"run-1": HandledEvent(AT), "run-2": HandledEvent(AT, "No.")},
    claim=SendClaim("run-3", "a", ("first",), "digest"),
    pending={"1": POINTER},
    abandoned=(
        AbandonedRun("run-0", AT, {"1": POINTER}, is_announced=True),
        AbandonedRun("old", AT),
    ),
    announced=frozenset({"expired|sg-1"}),
    settings="a1",
    last_full_digest_at=AT,
    last_change_mail_at=AT,
    follow_ups={"eu-west-1": FollowUp("run-4", AT)},
    old_state_etag='"e"',
)


@pytest.mark.parametrize("head", [FULL, Head()], ids=["full", "empty"])
def test_a_head_comes_back_as_it_was(head: Head) -> None:
    """Every field included; who wrote it can be read as well."""
    stored = encode_head(head, "writer-1")
    assert decode_head(stored) == head
    assert writer_of(stored) == "writer-1"


@pytest.mark.parametrize(
    ("stored", "sentence"),
    [
        (b"", "The ledger cannot be read (JSONDecodeError: Expecting value"),
        (b"\xff", "The ledger cannot be read (UnicodeDecodeError: "),
        (b"[" * 100_000, "The ledger cannot be read (RecursionError: "),
        (b"[]", "The ledger cannot be read (TypeError: "),
        (b"{}", "The ledger cannot be read (KeyError: 'version')."),
        (b'{"version": 1}', "The ledger has version 1, and this program knows 2."),
        (b'{"version": true}', "The ledger cannot be read (TypeError: "),
        (b'{"version": 2}', "The ledger cannot be read (KeyError: "),
    ],
)
def test_a_head_that_cannot_be_read_is_one_sentence(stored: bytes, sentence: str) -> None:
    """The error says what is wrong, and nobody is known to have written it."""
    with pytest.raises(DecodeError) as error:
        decode_head(stored)
    assert str(error.value).startswith(sentence)
    assert str(error.value).endswith(".")
    assert writer_of(stored) is None


def test_a_newer_head_is_another_error() -> None:
    """A later version of the program may have anything in it."""
    with pytest.raises(NewerVersionError, match="has version 3, and this program knows 2"):
        decode_head(b'{"version": 3}')


@pytest.mark.parametrize("key", ["", "x", "head.json", "reports/known/1.json"])
def test_a_pointer_leads_to_what_the_role_may_read(key: str) -> None:
    """S3 refuses any other key, in each run anew; so the head counts as one that is malformed."""
    document = json.loads(encode_head(FULL, "writer-1"))
    document["accounts"]["1"]["key"] = key
    with pytest.raises(DecodeError, match="key must begin with known/"):
        decode_head(json.dumps(document).encode())


def test_each_value_of_a_head_is_refused_or_stored_again() -> None:
    """With any value in any field it is a DecodeError, or it is written as it was read."""
    document = json.loads(encode_head(FULL, "writer-1"))
    for place in places(document):
        for odd in ODD_VALUES:
            try:
                head = decode_head(json.dumps(changed(document, place, odd)).encode())
            except DecodeError:
                continue
            assert decode_head(encode_head(head, "writer-2")) == head, (place, odd)
