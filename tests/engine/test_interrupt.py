"""Ctrl-C ends everything that was started."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.deployment.pulumi_cli import Cli
from tests.conftest import PROJECT

from .conftest import Declare

SCRIPT = """
import signal
import sys
from pathlib import Path
from sandbox.aws.account import Account
from sandbox.deployment.deploy import open_stack
from sandbox.aws.faults import Fault
# A shell lets what it starts in the background ignore Ctrl-C, and so the tests' own processes.
signal.signal(signal.SIGINT, signal.default_int_handler)
with Account() as account:
    account.faults.add(Fault("CreateRole", delay=3))
    stack = open_stack(Path(sys.argv[1]), "dev", account, on_output=lambda l: print(l, flush=True))
    try:
        stack.up()
    finally:
        created = [call.operation for call in account.calls].count("CreateRole")
        print(created, stack.resources[0][1], file=sys.stderr)
"""


def test_interrupt_leaves_no_process(declare: Declare, cli: Cli, tmp_path: Path) -> None:
    """An interrupted up finishes the step it is in, begins no other, and ends the CLI first."""
    folder = declare("""
        first = aws.iam.Role("first", assume_role_policy=trust)
        after = pulumi.ResourceOptions(depends_on=[first])
        aws.iam.Role("second", assume_role_policy=trust, opts=after)
    """)
    tools, pid = tmp_path / "bin", tmp_path / "pid"
    tools.mkdir()
    wrapper = tools / "pulumi"
    wrapper.write_text(f'#!/bin/sh\necho $$ > {pid}\nexec {shlex.quote(str(cli.path))} "$@"\n')
    wrapper.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT),
    }
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, folder],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "first creating" in line:
                process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        lines = process.stderr.read().splitlines()
    assert lines[0] == "1 first"
    assert lines[-1] == "KeyboardInterrupt"
    assert process.returncode == -signal.SIGINT
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
