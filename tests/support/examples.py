"""How many examples the property tests try."""

import os

from hypothesis import settings


def number_of(default: int, in_ci: int) -> int:
    """How many cases tests try: fewer here, more in CI."""
    return in_ci if os.environ.get("CI") == "true" else default


def examples(default: int, in_ci: int) -> settings:
    """The settings of tests that try the same examples on every run.

    With EXAMPLES=100000 in the environment they try that many, and others each time.
    """
    number = os.environ.get("EXAMPLES")
    return settings(
        max_examples=int(number) if number else number_of(default, in_ci),
        derandomize=number is None,
        database=None,
        deadline=None,
    )
