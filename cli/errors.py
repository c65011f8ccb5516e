"""What ends an audit before it has something to say."""

import click


class AuditError(click.ClickException):
    """The audit could not be made or written down; the message is a sentence."""

    exit_code = 2
