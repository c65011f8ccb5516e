"""A stack that the real Pulumi engine deploys into an account on this machine."""

import json
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.deployment import engine_events, program, provider
from sandbox.deployment.command import CommandFailedError, OnOutput, run
from sandbox.deployment.engine_events import Recorder, error_text
from sandbox.deployment.lifecycle import Account
from sandbox.deployment.project import Project
from sandbox.deployment.pulumi_cli import Cli
from sandbox.deployment.stack import Changes, DeployError
from sandbox.deployment.wire import SECRET, SIGNATURE

# The state of a sandbox needs no better one.
_PASSPHRASE: Final = "sandbox"  # noqa: S105


class EngineStack:
    """A stack in its own folder, with copies of the user's files."""

    has_engine = True

    def __init__(
        self,
        project: Project,
        account: Account,
        cli: Cli,
        state: Path | None = None,
        on_output: OnOutput = None,
    ) -> None:
        """Prepare the stack; nothing runs yet. Raises ``DeployError``."""
        self.engine = str(cli)
        self._account = account
        self._cli = cli
        self._on_output = on_output
        self._project = project
        self._resources: list[dict[str, Any]] | None = None
        folder = Path(tempfile.mkdtemp(prefix="sandbox-stack-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        state = (state or folder / "state").resolve()
        self._work, home = folder / "work", folder / "home"
        for path in (state, self._work, home):
            path.mkdir(parents=True, exist_ok=True)
        self._checkpoint = state / ".pulumi" / "stacks" / project.name / f"{project.stack}.json"
        self._environment = {
            "PULUMI_AUTOMATION_API": "true",
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": _PASSPHRASE,
            # Without this the CLI knows no --event-log.
            "PULUMI_DEBUG_COMMANDS": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_HOME": str(home),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        shutil.copy(project.folder / "Pulumi.yaml", self._work)
        settings = yaml.safe_dump({"config": project.config()})
        (self._work / f"Pulumi.{project.stack}.yaml").write_text(settings, "utf-8")

    def create(self) -> None:
        """Create the stack in the state if it does not exist, as every operation does first."""
        if not self._checkpoint.exists():
            self._pulumi("stack", "init")

    def preview(self) -> Changes:
        """What ``up`` would do."""
        return self._operate("preview")

    def up(self) -> Changes:
        """Deploy the program."""
        return self._operate("up", "--yes", "--skip-preview")

    def refresh(self) -> Changes:
        """Read the account into the state; returns what differed."""
        return self._operate("refresh", "--yes", "--skip-preview", completed=True)

    def destroy(self) -> Changes:
        """Delete everything the stack created."""
        return self._operate("destroy", "--yes", "--skip-preview")

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs after the last ``up``, secrets decrypted."""
        return {
            name: _decrypted(value)
            for item in self._state()
            if item["type"] == "pulumi:pulumi:Stack"
            for name, value in item.get("outputs", {}).items()
        }

    @property
    def resources(self) -> list[tuple[str, str, str]]:
        """The type, logical name and id of every resource that the stack has in the account."""
        return sorted(
            (item["type"], item["urn"].split("::", 3)[3], item["id"])
            for item in self._state()
            if item["custom"] and not item["type"].startswith("pulumi:")
        )

    def _operate(self, *arguments: str, completed: bool = False) -> Changes:
        self._resources = None
        recorder = Recorder(completed=completed)
        try:
            self.create()
            with (
                provider.serve(self._account) as provider_port,
                program.serve(self._project.run) as program_port,
                engine_events.serve(recorder) as events_port,
            ):
                self._environment["PULUMI_DEBUG_PROVIDERS"] = f"aws:{provider_port}"
                options = [
                    f"--client=127.0.0.1:{program_port}",
                    "--exec-kind=auto.inline",
                    f"--event-log=tcp://127.0.0.1:{events_port}",
                ]
                self._pulumi(*arguments, *options, "--color=never", on_output=self._on_output)
        except CommandFailedError as error:
            raise DeployError(error_text(recorder.errors, str(error))) from error
        return recorder.changes()

    def _state(self) -> list[dict[str, Any]]:
        """The resources in the state, read once after an operation."""
        if self._resources is None:
            self._resources = []
            if self._checkpoint.exists():
                exported = json.loads(self._pulumi("stack", "export", "--show-secrets"))
                self._resources = exported["deployment"].get("resources") or []
        return self._resources

    def _pulumi(self, *arguments: str, on_output: OnOutput = None) -> str:
        command = [*arguments, f"--stack={self._project.stack}"]
        return run(self._cli.path, command, self._work, self._environment, on_output)


def _decrypted(value: Any) -> Any:
    match value:
        case {"plaintext": text} if value.get(SIGNATURE) == SECRET:
            return json.loads(text)
        case dict():
            return {name: _decrypted(item) for name, item in value.items()}
        case list():
            return [_decrypted(item) for item in value]
        case _:
            return value
