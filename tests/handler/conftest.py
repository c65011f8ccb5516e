"""A deployed audit of two regions with a ledger, before its first run."""

from collections.abc import Iterator

import pytest

from sandbox.aws.account import Account
from tests.support.memory_account import MemoryAccount
from tests.support.stack import Stack


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The audit in an account in memory."""
    return Stack(MemoryAccount(), monkeypatch)


@pytest.fixture
def http_stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """The audit in the sandbox's account, which it reaches over HTTP."""
    with Account() as account:
        yield Stack(account, monkeypatch)
