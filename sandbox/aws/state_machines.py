"""Step Functions: moto's interpreter, whose tasks call the account with the machine's role."""

import logging
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from moto.backends import get_backend
from moto.core.config import default_user_config

from sandbox.aws.callers import Caller, Callers
from sandbox.aws.functions import caller_of

_ASL = "moto.stepfunctions.parser.asl.component"
_CALLING = (
    f"{_ASL}.state.exec.state_map.item_reader.eval.resource_eval_s3",
    f"{_ASL}.state.exec.state_task.lambda_eval_utils",
)
# A worker of the interpreter calls itself once for each item that it has worked off.
_RECURSION_LIMIT = 20_000


class StateMachines:
    """The executions of the account's state machines.

    The interpreter belongs to the process, as moto's state does. It takes a second to import, and
    is imported when Step Functions is called first.
    """

    def __init__(
        self, account_id: str, callers: Callers, client: Callable[[str, str, str], Any]
    ) -> None:
        """``client`` makes a boto3 client from service, region and access key id."""
        self._account_id = account_id
        self._callers = callers
        self._client = client
        self._backends: Any = {}

    def prepare(self) -> None:
        """Let the interpreter execute, and call this account."""
        if self._backends:
            return
        # It logs each failed state, and that it tolerates every failure of a child.
        logging.getLogger(_ASL.rpartition(".")[0]).setLevel(logging.CRITICAL)
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION_LIMIT))
        for module in _CALLING:
            vars(import_module(module))["boto_client_for"] = self._client_of_role
        retries = import_module(f"{_ASL}.common.retry.retrier_decl")
        vars(retries)["time"] = SimpleNamespace(sleep=self._skip_time)
        self._backends = import_module(
            "moto.stepfunctions.parser.models"
        ).stepfunctions_parser_backends

    def names(self, region: str) -> list[str]:
        """The names of the state machines in a region."""
        if not self._backends:
            return []
        machines = self._backends[self._account_id][region].state_machines
        return [machine.name for machine in machines]

    def wait(self, timeout: float = 60) -> list[Any]:
        """Every execution as moto keeps it, in order, once all have ended.

        Raises ``TimeoutError`` after that many seconds.
        """
        ends = time.monotonic() + timeout
        while running := [item.name for item in self._executions() if item.status == "RUNNING"]:
            if time.monotonic() > ends:
                raise TimeoutError(f"{', '.join(running)} did not end within {timeout} seconds.")
            time.sleep(0.02)
        return self._executions()

    def close(self) -> None:
        """Stop the executions that still run."""
        for execution in self._executions():
            environment = execution.exec_worker.env  # None until its thread has begun
            if execution.status == "RUNNING" and environment:
                environment.set_stop(stop_date=None, error=None, cause=None)

    def _executions(self) -> list[Any]:
        if not self._backends:
            return []
        machines = [
            machine
            for backend in list(self._backends[self._account_id].values())
            for machine in backend.state_machines
        ]
        return [execution for machine in machines for execution in list(machine.executions)]

    def _skip_time(self, seconds: float) -> None:
        """Make stored objects older instead of waiting before a retry."""
        time.sleep(0.01)
        for bucket in get_backend("s3")[self._account_id]["aws"].buckets.values():
            for key in list(bucket.keys.values()):
                key.last_modified -= timedelta(seconds=seconds)

    def _client_of_role(self, region: str, service: str, state_credentials: Any) -> Any:
        role = state_credentials.role_arn
        self._callers.add(caller_of(role), Caller(self._account_id, role))
        return self._client(service, region, caller_of(role))
