"""The ledger's state as it is stored."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from handler.ledger.reconcile import next_state
from handler.ledger.state import LedgerState, SendClaim, StateError, decode_state, encode_state
from handler.policy.policy import Policy
from handler.report.digest import build_digest
from handler.report.html import render_html
from tests.support import reports
from tests.support.security_groups import answer, permission

Place = tuple[str | int, ...]


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


ODD_VALUES: tuple[object, ...] = (None, True, 7, -1.5, "x", "2026-11-23", [], [1], {}, {"x": 1})


def places(value: object, place: Place = ()) -> Iterator[Place]:
    """The way to everything within a value, as keys and indexes."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
    for key, part in inner:
        yield (*place, key)
        if isinstance(part, dict | list):
            yield from places(part, (*place, key))


def changed(document: Any, place: Place, odd: object) -> Any:
    """A copy of a document with another value in one place."""
    if not place:
        return odd
    key, *rest = place
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    copy[key] = changed(document[key], tuple(rest), odd)
    return copy


def test_each_value_of_a_state_is_refused_or_serves_the_next_run() -> None:
    """With any value in any place a state is a StateError, or the next run reports and commits."""
    document = json.loads(encode_state(full()))
    scan = reports.read(answer(permission("tcp", 443, 443, "0.0.0.0/0")))
    policy = Policy(trusted_cidrs=("8.0.0.0/8",))
    served = 0
    for place in places(document):
        for odd in ODD_VALUES:
            try:
                state = decode_state(json.dumps(changed(document, place, odd)).encode())
            except StateError:
                continue
            served += 1
            report = reports.of(scan, policy=policy, previous=state)
            render_html(build_digest(report))
            encode_state(next_state(state, report, mailed=True, is_full_digest=False))
    assert served > 0
