"""`pulumi up` and the other operations as a user runs them in a clone, against the account here.

The real CLI works in the clone, on the stack's own file and state. It lacks its Python language
host and the AWS plugin, so this process serves the program and the provider.
"""

import os
import subprocess
import sys
from pathlib import Path

import boto3

from sandbox.deployment import program, provider
from sandbox.deployment.project import Project


class CallersAccount:
    """The account that the environment's credentials and endpoint lead to."""

    id = "123456789012"

    def client(self, service: str, region: str) -> object:
        """A boto3 client of the service in the region."""
        return boto3.client(service, region_name=region)  # type: ignore[call-overload]


def main(cli: str, operation: str, *options: str) -> int:
    """The CLI's status; what it would ask before an operation is confirmed."""
    shown = [cli, "stack", "--show-name"]
    stack = subprocess.run(shown, capture_output=True, text=True, check=True).stdout.strip()
    confirmed = [] if operation == "preview" else ["--yes", "--skip-preview"]
    with (
        provider.serve(CallersAccount()) as provider_port,
        program.serve(Project(Path.cwd(), stack, {}).run) as program_port,
    ):
        served = [f"--client=127.0.0.1:{program_port}", "--exec-kind=auto.inline"]
        environment = {**os.environ, "PULUMI_DEBUG_PROVIDERS": f"aws:{provider_port}"}
        command = [cli, operation, *options, *confirmed, *served]
        return subprocess.call(command, env=environment)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
