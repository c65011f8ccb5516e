"""A deployed audit of an organization with a ledger, before its first run."""

import pytest

from tests.support.organization import MemoryOrganization


@pytest.fixture
def organization(monkeypatch: pytest.MonkeyPatch) -> MemoryOrganization:
    """The audit of an organization in memory."""
    return MemoryOrganization(monkeypatch)
