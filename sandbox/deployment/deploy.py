"""Deploys the user's Pulumi project into an account on this machine."""

from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox.deployment.engine import EngineStack
from sandbox.deployment.lifecycle import Account
from sandbox.deployment.monitor import MonitorStack
from sandbox.deployment.project import Project
from sandbox.deployment.pulumi_cli import NoCliError, find, find_or_build
from sandbox.deployment.stack import Changes, DeployError, Stack

__all__ = ["Changes", "DeployError", "Stack", "open_stack"]


def open_stack(  # noqa: PLR0913 - all but the first three have a default
    project: Path,
    stack: str,
    account: Account,
    *,
    config: Mapping[str, object] | None = None,
    state: Path | None = None,
    on_output: Callable[[str], None] | None = None,
    engine: bool | None = None,
) -> Stack:
    """A stack of the project in this folder, ready to be previewed or deployed.

    ``config`` goes before the stack's file: a key without a namespace is the project's, None
    removes it. ``state`` is a folder that keeps what was deployed; without one it lives as long as
    the result. ``on_output`` gets the lines that ``pulumi`` prints. ``engine`` says whether
    the real engine deploys, for which the Pulumi CLI is built if need be, or the SDK's mock
    monitor, which is quick but can only create and delete; None takes the engine if there is a
    Pulumi CLI already.

    Raises ``DeployError``.
    """
    say = on_output or (lambda _: None)
    opened = Project(project.resolve(), stack, dict(config or {}))
    if engine is False:
        return MonitorStack(opened, account, say)
    try:
        cli = find_or_build(say) if engine else find(say)
    except NoCliError as error:
        if engine:
            raise DeployError(str(error)) from error
        say(str(error))
        return MonitorStack(opened, account, say)
    return EngineStack(opened, account, cli, state, on_output)
