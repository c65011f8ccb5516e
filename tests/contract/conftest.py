"""What the contract's tests need: a recorded program, and the deployed product."""

from tests.end_to_end.conftest import deployed, install
from tests.infra.conftest import deploy

__all__ = ["deploy", "deployed", "install"]
