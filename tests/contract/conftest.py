"""The fixtures of the contract tests: a recorded program, and a deployed stack."""

from tests.end_to_end.conftest import deployed, install
from tests.infra.conftest import deploy

__all__ = ["deploy", "deployed", "install"]
