"""How many examples the property tests try."""

import os

from hypothesis import settings


def examples(default: int, in_ci: int) -> settings:
    """The settings of tests that try the same examples on every run: fewer here, more in CI.

    With EXAMPLES=100000 in the environment they try that many, and others each time.
    """
    number = os.environ.get("EXAMPLES")
    is_ci = os.environ.get("CI") == "true"
    return settings(
        max_examples=int(number) if number else in_ci if is_ci else default,
        derandomize=number is None,
        database=None,
        deadline=None,
    )
