"""Runs the Pulumi CLI with our settings only, and ends it if the call is interrupted."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final

# An interrupted engine finishes the steps it has begun and writes its state.
_STOP_SECONDS: Final = 20

OnOutput = Callable[[str], object] | None


class CommandFailedError(Exception):
    """The CLI ended with an error; the message is what it wrote to standard error."""


def run(
    cli: Path,
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    on_output: OnOutput = None,
) -> str:
    """Run the CLI; returns its standard output, each line passed to ``on_output`` as it comes.

    Any interruption of the wait, Ctrl-C included, ends the CLI first. Raises
    ``CommandFailedError``.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PULUMI_")}
    with (
        subprocess.Popen(  # noqa: S603 - the CLI that was found, with our arguments
            [cli, "--non-interactive", *arguments],
            cwd=folder,
            env={**inherited, **environment},
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # The terminal sends Ctrl-C to its whole group; the engine takes a second one,
            # ours, as an order to stop in the middle of a step.
            start_new_session=True,
        ) as process,
        ThreadPoolExecutor(max_workers=2) as readers,
    ):
        try:
            output = readers.submit(_read, process.stdout, on_output)
            errors = readers.submit(_read, process.stderr, None)
            code = process.wait()
        except BaseException:
            _stop(process)
            raise
        if code:
            raise CommandFailedError(errors.result())
        return output.result()


def _read(stream: IO[str] | None, callback: OnOutput) -> str:
    lines = []
    for line in stream or ():
        lines.append(line.rstrip())
        if callback:
            callback(lines[-1])
    return "\n".join(lines)


def _stop(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    finally:
        # It has not ended in time, or the wait was interrupted once more.
        process.kill()
        process.wait()
