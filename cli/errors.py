"""The error that ends a command before it has anything to report."""

import click


class AuditError(click.ClickException):
    """An input or an output that cannot be used; the message is a sentence."""

    exit_code = 2
