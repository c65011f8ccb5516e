"""The Lambda host: a function's result, errors and log as Lambda gives them."""

import io
import json
import socket
import struct
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.lambda_host import runtime
from sandbox.lambda_host.host import LambdaHost, run_once
from sandbox.lambda_host.process import Function
from sandbox.lambda_host.runtime_api import RuntimeApi


@pytest.fixture(scope="module")
def host() -> Iterator[LambdaHost]:
    """One host for the tests of this module."""
    with LambdaHost() as entered:
        yield entered


def function(
    source: str,
    *,
    handler: str = "app.handle",
    timeout: float = 10,
    environment: dict[str, str] | None = None,
) -> Function:
    """A function with one module, app.py."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", source)
    return Function(
        name="trial",
        code=buffer.getvalue(),
        handler=handler,
        environment=environment or {},
        timeout=timeout,
    )


def types(log: tuple[str, ...]) -> list[str]:
    """The platform's lines by their types, the others as they are."""
    return [json.loads(line)["type"] if line.startswith("{") else line for line in log]


def test_the_result_is_what_the_handler_returned(host: LambdaHost) -> None:
    """The event goes in as JSON and the result comes out as JSON."""
    trial = function("def handle(event, context): return {'doubled': event['number'] * 2}")
    invocation = host.run(trial, b'{"number": 21}', {})
    assert (invocation.payload, invocation.error) == (b'{"doubled": 42}', None)


def test_a_warm_process_is_used_again(host: LambdaHost) -> None:
    """Module state outlives an invocation, and only the first one is a cold start."""
    trial = function("calls = []\ndef handle(event, context): calls.append(1); return len(calls)")
    first, second = host.run(trial, b"{}", {}), host.run(trial, b"{}", {})
    assert (first.payload, second.payload) == (b"1", b"2")
    assert types(first.log) == ["platform.initStart", "platform.start", "platform.report"]
    assert types(second.log) == ["platform.start", "platform.report"]


def test_changed_code_starts_afresh(host: LambdaHost) -> None:
    """A process of the old code is not used for the changed one."""
    before = function("def handle(event, context): return 'before'")
    after = function("def handle(event, context): return 'after'")
    assert host.run(before, b"{}", {}).payload == b'"before"'
    assert host.run(after, b"{}", {}).payload == b'"after"'


def test_an_exception_is_reported(host: LambdaHost) -> None:
    """Type, message and the line of the function's own file are in the payload."""
    trial = function("def handle(event, context):\n    raise ValueError('bad event')")
    invocation = host.run(trial, b"{}", {})
    report = json.loads(invocation.payload)
    assert invocation.error == "Unhandled"
    assert (report["errorType"], report["errorMessage"]) == ("ValueError", "bad event")
    assert 'app.py", line 2, in handle' in report["stackTrace"][0]


def test_a_missing_dependency_fails(host: LambdaHost) -> None:
    """A package that this environment has and the zip has not is not found."""
    invocation = host.run(function("import moto\ndef handle(event, context): pass"), b"{}", {})
    report = json.loads(invocation.payload)
    assert report["errorType"] == "Runtime.ImportModuleError"
    assert report["errorMessage"] == "Unable to import module 'app': No module named 'moto'"


def test_boto3_comes_with_the_runtime(host: LambdaHost) -> None:
    """A zip without boto3 can import the pinned one."""
    trial = function("import boto3\ndef handle(event, context): return boto3.__version__")
    assert host.run(trial, b"{}", {}).payload == b'"1.44.5"'


def test_a_missing_handler_fails(host: LambdaHost) -> None:
    """A handler name that is not in the module is Runtime.HandlerNotFound."""
    invocation = host.run(function("", handler="app.other"), b"{}", {})
    assert json.loads(invocation.payload)["errorType"] == "Runtime.HandlerNotFound"


def test_a_time_out_ends_the_function(host: LambdaHost) -> None:
    """The payload and the report say so, and the next run works in a fresh process."""
    trial = function(
        "import time\ndef handle(event, context): time.sleep(event['seconds'])", timeout=0.3
    )
    invocation = host.run(trial, b'{"seconds": 60}', {}, "abc")
    assert json.loads(invocation.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: abc Error: Task timed out after 0.30 seconds",
    }
    assert json.loads(invocation.log[-1])["record"]["status"] == "timeout"
    assert host.run(trial, b'{"seconds": 0}', {}).error is None


def test_an_exit_is_reported(host: LambdaHost) -> None:
    """A process that ends itself is Runtime.ExitError."""
    trial = function("import os\ndef handle(event, context): os._exit(7)")
    report = json.loads(host.run(trial, b"{}", {}, "abc").payload)
    assert report["errorType"] == "Runtime.ExitError"
    assert report["errorMessage"].endswith("Runtime exited with error: exit status 7")


def test_a_result_that_is_no_json_is_an_error(host: LambdaHost) -> None:
    """A set cannot be returned."""
    report = json.loads(
        host.run(function("def handle(event, context): return {1}"), b"{}", {}).payload
    )
    assert report["errorType"] == "Runtime.MarshalError"


def test_what_the_function_prints_is_in_the_log(host: LambdaHost) -> None:
    """Output of the import comes before platform.start, the handler's own after it."""
    trial = function(
        "import sys\nprint('imported')\n"
        "def handle(event, context):\n    print('out')\n    print('err', file=sys.stderr)"
    )
    log = host.run(trial, b"{}", {}).log
    assert types(log)[1:] == ["imported", "platform.start", "out", "err", "platform.report"]


def test_much_output_arrives_whole(host: LambdaHost) -> None:
    """A function that writes much is not stopped, and its log is not cut."""
    trial = function(
        "def handle(event, context):\n    for n in range(20000): print(f'line {n:06}')"
    )
    assert host.run(trial, b"{}", {}).log[-2] == "line 019999"


def test_the_report_has_the_request_id_and_the_status(host: LambdaHost) -> None:
    """The last line is the platform's report on the invocation."""
    trial = function("def handle(event, context): pass")
    report = json.loads(host.run(trial, b"{}", {}, "abc").log[-1])
    assert (report["record"]["requestId"], report["record"]["status"]) == ("abc", "success")


def test_the_environment_is_the_functions_own(
    host: LambdaHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables of this process do not reach the function; its own and Lambda's do."""
    monkeypatch.setenv("LEAKED", "yes")
    trial = function(
        "import os\ndef handle(event, context):\n"
        "    return [os.environ.get(name) for name in event]",
        environment={"OWN": "set"},
    )
    names = ["LEAKED", "OWN", "AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "AWS_ACCESS_KEY_ID"]
    invocation = host.run(trial, json.dumps(names).encode(), {"AWS_ACCESS_KEY_ID": "AKIA"})
    assert json.loads(invocation.payload) == [None, "set", "trial", "eu-west-1", "AKIA"]


def test_run_once_leaves_no_process_behind() -> None:
    """The process that ran the function is gone afterwards."""
    trial = function("import os\ndef handle(event, context): return os.getpid()")
    pid = int(run_once(trial, b"{}", {}).payload)
    assert not Path(f"/proc/{pid}").exists()


def test_the_runtime_folder_depends_on_the_pins(tmp_path: Path) -> None:
    """A folder is found by what is pinned, below the cache it is asked for."""
    assert runtime.location(tmp_path).parent == tmp_path
    assert runtime.location(tmp_path).name == runtime.prepare().name


def test_a_killed_process_leaves_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    """A connection that is reset while the Runtime API reads from it prints nothing."""
    api = RuntimeApi()
    with socket.create_connection(("127.0.0.1", api.server_port)) as connection:
        # So the kernel closes the connection of a process that has not read all.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    time.sleep(0.2)
    api.close()
    assert capfd.readouterr().err == ""
