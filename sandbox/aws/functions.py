"""The Lambda service of the account: invokes the functions that moto stores."""

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError
from moto.awslambda.exceptions import LambdaClientError
from moto.backends import get_backend
from werkzeug.wrappers import Response

from sandbox.aws.callers import Caller, Callers
from sandbox.aws.function_settings import FunctionSettings
from sandbox.aws.protocol import Operation
from sandbox.lambda_host.host import Invocation, LambdaHost
from sandbox.lambda_host.process import Function

SECRETS = {"AWS_SECRET_ACCESS_KEY": "sandbox", "AWS_SESSION_TOKEN": "sandbox"}
DEFAULT_RETRIES = 2


def caller_of(name: str) -> str:
    """The access key id with which a function of this name signs its requests.

    A state machine signs with the one of its role's ARN.
    """
    digest = hashlib.sha256(name.encode()).digest()
    return "ASIA" + base64.b32encode(digest).decode()[:16]


class Functions:
    """Invokes functions as Lambda does, and writes their output to their log groups."""

    def __init__(
        self,
        endpoint: str,
        account_id: str,
        settings: FunctionSettings,
        callers: Callers,
        client: Callable[[str, str, str], Any],
    ) -> None:
        """``client`` makes a boto3 client from service, region and access key id."""
        self._endpoint = endpoint
        self._account_id = account_id
        self._settings = settings
        self._callers = callers
        self._client = client
        self._host = LambdaHost()
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="lambda")
        self._pending: set[Future[tuple[Invocation, ...]]] = set()
        self._streams: set[str] = set()
        self._lock = threading.Lock()

    def kill(self, session: str) -> None:
        """Let the process with this session token die."""
        self._host.kill(session)

    def close(self) -> None:
        """End the running functions and drop the asynchronous runs that wait."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._host.close()
        self._pool.shutdown(wait=True)

    def serve(self, operation: Operation) -> Response:
        """Answer one Invoke, of either type."""
        parameters = operation.parameters
        try:
            record = self._record(operation.region, parameters["FunctionName"])
        except LambdaClientError as error:
            return operation.refusal("ResourceNotFoundException", str(error.message), 404)
        if parameters.get("InvocationType") == "Event":
            self._start(record, operation.region, operation.body)
            return Response(status=202)
        invocation = self._run(record, operation.region, operation.body)
        response = Response(invocation.payload, content_type="application/json")
        if invocation.error:
            response.headers["X-Amz-Function-Error"] = invocation.error
        return response

    def definition(self, region: str, name: str) -> Function:
        """The definition of a function, given by name or ARN."""
        return self._definition(self._record(region, name), region)

    def invoke(self, region: str, name: str, payload: bytes) -> Invocation:
        """Run a function, given by name or ARN, and wait for it."""
        return self._run(self._record(region, name), region, payload)

    def start(self, region: str, name: str, payload: bytes) -> "Future[tuple[Invocation, ...]]":
        """Run a function asynchronously; the result is every try that Lambda makes."""
        return self._start(self._record(region, name), region, payload)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all asynchronous runs have ended; raises ``TimeoutError`` after that long."""
        with self._lock:
            pending = set(self._pending)
        finished, unfinished = wait(pending, timeout)
        for future in finished:
            future.result()
        if unfinished:
            raise TimeoutError(
                f"{len(unfinished)} asynchronous runs have not ended after {timeout} seconds."
            )

    def _record(self, region: str, name: str) -> Any:
        """Moto's record of a function."""
        return get_backend("lambda")[self._account_id][region].get_function(name)

    def _start(self, record: Any, region: str, payload: bytes) -> "Future[tuple[Invocation, ...]]":
        future = self._pool.submit(self._try, record, region, payload)
        with self._lock:
            self._pending.add(future)
        future.add_done_callback(self._forget)
        return future

    def _forget(self, future: "Future[tuple[Invocation, ...]]") -> None:
        if not future.cancelled() and future.exception() is not None:
            return  # wait() raises it
        with self._lock:
            self._pending.discard(future)

    def _try(self, record: Any, region: str, payload: bytes) -> tuple[Invocation, ...]:
        """Every try of an asynchronous run; Lambda waits minutes between them, this does not."""
        configured = record.event_invoke_config[0].config if record.event_invoke_config else {}
        tries: list[Invocation] = []
        for _ in range(1 + configured.get("MaximumRetryAttempts", DEFAULT_RETRIES)):
            previous = tries[0].request_id if tries else None
            tries.append(self._run(record, region, payload, previous))
            if tries[-1].error is None:
                break
        return tuple(tries)

    def _run(
        self, record: Any, region: str, payload: bytes, request_id: str | None = None
    ) -> Invocation:
        function = self._definition(record, region)
        self._callers.add(caller_of(function.name), Caller(self._account_id, record.role))
        credentials = {
            **SECRETS,
            "AWS_ACCESS_KEY_ID": caller_of(function.name),
            "AWS_ENDPOINT_URL": self._endpoint,
        }
        invocation = self._host.run(function, payload or b"{}", credentials, request_id)
        self._write_log(function, invocation)
        return invocation

    def _definition(self, record: Any, region: str) -> Function:
        logging = self._settings.logging(region, record.function_name)
        return Function(
            name=record.function_name,
            code=record.code_bytes,
            handler=record.handler,
            environment=dict(record.environment_vars),
            timeout=float(record.timeout),
            memory=int(record.memory_size),
            region=region,
            account=self._account_id,
            log_group=logging["LogGroup"],
            log_level=logging.get("ApplicationLogLevel"),
        )

    def _write_log(self, function: Function, invocation: Invocation) -> None:
        """Write the lines to the log group; they are lost if the function's role may not."""
        stream = invocation.log_stream
        logs = self._client("logs", function.region, caller_of(function.name))
        names = {"logGroupName": function.log_group, "logStreamName": stream}
        now = int(time.time() * 1000)
        with suppress(ClientError):
            if stream not in self._streams:
                logs.create_log_stream(**names)
                self._streams.add(stream)
            logs.put_log_events(
                **names,
                logEvents=[{"timestamp": now, "message": line} for line in invocation.log if line],
            )
