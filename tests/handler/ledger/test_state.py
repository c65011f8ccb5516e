"""The ledger's state as it is stored."""

import json
from dataclasses import replace

import pytest

from handler.ledger.reconcile import next_state
from handler.ledger.state import LedgerState, SendClaim, StateError, decode_state, encode_state
from tests.support import reports
from tests.support.security_groups import answer, permission


def full() -> LedgerState:
    """A state with every kind of finding, a history and a run that is about to mail."""
    halves = [
        answer(permission("tcp", 22, 22, "0.0.0.0/1"), group_id="sg-1"),
        answer(
            permission("tcp", 22, 22, "128.0.0.0/1", "::/0"),
            permission("icmp", 8, -1, "0.0.0.0/0"),
            permission("tcp", 9, 9, "pl-1"),
            permission("tcp", 30, 20, "0.0.0.0/0"),
            group_id="sg-2",
            name="\N{SNOWMAN}",
        ),
    ]
    groups = [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]
    read = reports.read(*halves, NetworkInterfaces=[{"NetworkInterfaceId": "e", "Groups": groups}])
    report = reports.of(read, reports.DENIED, previous=LedgerState())
    state = next_state(LedgerState(), report, mailed=True, is_full_digest=True)
    return replace(state, claim=SendClaim("run-2", "2026-11-23T07:00:00+00:00", "a"))


def test_a_state_comes_back_as_it_was() -> None:
    """Every field of every finding included."""
    state = full()
    kinds = {finding.kind.value for finding in state.findings.values()}
    assert kinds == {"exposure", "interface", "unreadable", "malformed"}
    assert decode_state(encode_state(state)) == state
    assert decode_state(encode_state(LedgerState())) == LedgerState()


def test_the_same_state_is_the_same_text() -> None:
    """Its order does not depend on a run."""
    assert encode_state(decode_state(encode_state(full()))) == encode_state(full())


@pytest.mark.parametrize(
    ("stored", "sentence"),
    [
        (b"", "The state makes no sense (JSONDecodeError: Expecting value"),
        (b"\xff", "The state makes no sense (UnicodeDecodeError: "),
        (b"[" * 100_000, "The state makes no sense (RecursionError: "),
        (b"[]", "The state makes no sense (TypeError: "),
        (b"{}", "The state makes no sense (KeyError: 'version')."),
        (b'{"version": 2}', "The state has version 2, this program knows 1."),
        (b'{"version": 1}', "The state makes no sense (KeyError: "),
    ],
)
def test_what_is_no_state_is_one_sentence(stored: bytes, sentence: str) -> None:
    """Whatever else stands there is named for what it is."""
    with pytest.raises(StateError) as error:
        decode_state(stored)
    assert str(error.value).startswith(sentence)
    assert str(error.value).endswith(".")


def test_no_part_of_a_state_may_be_nonsense() -> None:
    """Each field of each part, replaced or taken away, is refused or read, never a traceback."""
    whole = json.loads(encode_state(full()))
    for odd in (None, 7, "x", [], [1], {}, {"x": 1}):
        for key in whole:
            with pytest.raises(StateError) if key == "version" else _maybe():
                decode_state(json.dumps(whole | {key: odd}).encode())
        for key in whole["findings"][0]:
            with _maybe():
                finding = whole["findings"][0] | {key: odd}
                decode_state(json.dumps(whole | {"findings": [finding]}).encode())


class _maybe:  # noqa: N801 -- reads as contextlib's do
    """Lets a refusal pass, and nothing else."""

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is StateError
