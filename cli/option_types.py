"""Types of options whose values must have AWS's form."""

import re
from collections.abc import Callable

import click

from handler.model import network
from handler.organization import configuration


def _matching(pattern: str | re.Pattern[str], expectation: str) -> Callable[[str], str]:
    """A type of option for text in that form; the expectation ends the sentence on any other."""

    def require_match(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise click.BadParameter(f"{value!r} is not {expectation}.")
        return value

    return require_match


ACCOUNT_ID = _matching(network.ACCOUNT_ID, "an account ID of 12 digits")
REGION = _matching(network.REGION_NAME, "a region like eu-west-1")
ROLE_NAME = _matching(
    "([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}", "the name of a role, without its ARN"
)
"""With the role's path in front, if it has one."""
EXTERNAL_ID = _matching(
    configuration.EXTERNAL_ID, "an external ID: 2 to 1,224 letters, digits and _+=,.@:/-"
)
