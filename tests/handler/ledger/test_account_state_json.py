"""What is known of an account, as it is stored."""

import gzip
import json

import pytest

from handler.ledger.account_state_json import AccountState, decode_account, encode_account
from handler.ledger.account_states import AccountStates
from handler.ledger.head import DecodeError, Head, Pointer
from handler.ledger.state import LedgerState
from handler.ledger.store import LedgerStore
from tests.support.documents import ODD_VALUES, changed, places
from tests.support.ledger_examples import ACCOUNT, everything_known

STATE = everything_known()
STORED = encode_account(STATE, ACCOUNT)
LINES = [json.loads(line) for line in gzip.decompress(STORED).splitlines()]


def compressed(*lines: object) -> bytes:
    """An object with these lines."""
    return gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


def test_what_is_known_comes_back_as_it_was() -> None:
    """Every field of every finding included; what is known of other accounts is left out."""
    kinds = {record.finding.kind.value for record in STATE.records.values()}
    assert kinds == {"exposure", "interface", "unreadable", "malformed"}
    assert decode_account(STORED, ACCOUNT) == AccountState(
        dict(STATE.targets), dict(STATE.records), dict(STATE.resolved)
    )
    assert decode_account(encode_account(STATE, "2"), "2") == AccountState()


@pytest.mark.parametrize(("number", "others"), [(11, "1 more account"), (13, "3 more accounts")])
def test_ten_unknown_states_are_named(number: int, others: str) -> None:
    """The reasons for ten accounts are given, and the number of the other accounts."""
    pointers = {f"{account:012}": Pointer("key", "2026-11-23", 1) for account in range(number)}
    states = AccountStates(LedgerStore(), Head(accounts=pointers), "run-1", None)
    for account in pointers:
        states.account_state(account, b"odd")
    *named, rest = states.problems
    assert (len(named), rest) == (10, f"The same holds for {others}.")


def test_the_same_state_is_the_same_object() -> None:
    """It does not depend on when it is written."""
    known = decode_account(STORED, ACCOUNT)
    again = LedgerState(records=known.records, resolved=known.resolved, targets=known.targets)
    assert encode_account(again, ACCOUNT) == STORED


HEADING, *_, END = LINES


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="not-compressed"),
        pytest.param(STORED[:-9], id="truncated"),
        pytest.param(STORED[:40] + b"x" + STORED[41:], id="damaged"),
        pytest.param(gzip.compress(b""), id="no-lines"),
        pytest.param(gzip.compress(b"\xff\n"), id="not-text"),
        pytest.param(gzip.compress(b"[" * 100_000), id="deep"),
        pytest.param(gzip.compress(b"[]\n"), id="no-object"),
        pytest.param(compressed(HEADING), id="no-end"),
        pytest.param(compressed(*LINES[:-2], END), id="a-line-is-missing"),
        pytest.param(compressed(*LINES[1:]), id="no-heading"),
        pytest.param(compressed(HEADING | {"account": "2"}, *LINES[1:]), id="another-account"),
        pytest.param(compressed(HEADING | {"version": 3}, *LINES[1:]), id="another-version"),
    ],
)
def test_an_object_that_cannot_be_read_is_one_sentence(stored: bytes) -> None:
    """The error names the account."""
    with pytest.raises(DecodeError, match=rf"^The state of account {ACCOUNT} .*\.$"):
        decode_account(stored, ACCOUNT)


@pytest.mark.parametrize("number", range(len(LINES)))
def test_each_value_of_a_line_is_refused_or_stored_again(number: int) -> None:
    """With any value in any field it is a DecodeError, or it is written as it was read."""
    before, line, after = LINES[:number], LINES[number], LINES[number + 1 :]
    for place in places(line):
        for odd in ODD_VALUES:
            stored = compressed(*before, changed(line, place, odd), *after)
            try:
                known = decode_account(stored, ACCOUNT)
            except DecodeError:
                continue
            state = STATE._replace(
                records=known.records, resolved=known.resolved, targets=known.targets
            )
            assert decode_account(encode_account(state, ACCOUNT), ACCOUNT) == known, (place, odd)
