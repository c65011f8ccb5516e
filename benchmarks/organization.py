"""The report on many accounts: ``python -m benchmarks.organization ACCOUNTS FINDINGS``.

Each account has that many findings. Two runs are measured, each in a new process: the first
one, and one a day later in which every account has changed. S3 is a folder, so that what boto3
takes for its calls is not counted: about 2 ms of CPU each, and three calls an account.
"""

import json
import os
import resource
import subprocess
import sys
from hashlib import md5
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import IO, Any

from botocore.exceptions import ClientError

from benchmarks.largest import Region
from benchmarks.usage import UNIT
from handler.event import RunRequest
from handler.model.network import Target
from handler.model.run import Trigger
from handler.model.traffic import Traffic
from handler.organization import report_accounts
from handler.organization.plan import Account, Listing, Plan, encode_accounts, encode_plan
from handler.organization.run_objects import RunObjects
from handler.organization.stored_scan import AccountScan, encode_scan
from handler.policy.policy import Policy
from handler.scan import scan_target
from handler.settings import Notify

_PORTS = 10
_ENVIRONMENT = {
    "SES_SENDER": "audit@example.com",
    "SES_RECIPIENT": "audit@example.com",
    "LEDGER_BUCKET": "ledger",
    "STACK": "benchmark",
}


class Folder:
    """The calls to S3 and SES that a report makes, with a file for each object."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_object(self, Bucket: str, Key: str, **_: str) -> dict[str, Any]:  # noqa: ARG002, N803
        """An object."""
        file = self._folder / Key
        if not file.exists():
            raise _refusal(code="NoSuchKey", status=404)
        body = file.read_bytes()
        return {"Body": BytesIO(body), "ETag": md5(body).hexdigest(), "ResponseMetadata": {}}  # noqa: S324 -- S3's own choice

    def put_object(self, Bucket: str, Key: str, Body: bytes | IO[bytes], **_: str) -> Any:  # noqa: ARG002, N803
        """Store an object, in pieces as boto3 sends them."""
        file = self._folder / Key
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as stream:
            pieces = [Body] if isinstance(Body, bytes) else iter(lambda: Body.read(2**20), b"")
            stream.writelines(pieces)
        return {"ETag": md5(Body).hexdigest() if isinstance(Body, bytes) else ""}  # noqa: S324

    def send_email(self, **message: Any) -> None:
        """Keep the mail."""
        (self._folder / "mail").write_bytes(message["Content"]["Raw"]["Data"])


def _refusal(code: str, status: int) -> ClientError:
    error = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(error, "GetObject")  # type: ignore[arg-type]


def prepare(folder: Path, run: str, accounts: int, findings: int) -> None:
    """Store plan and scans of a run; a tenth of what is open moves from run to run."""
    s3 = Folder(folder)
    objects = RunObjects(s3, "ledger", run)
    day = int(run)
    moved = [Traffic("tcp", 5_000 + day, 5_000 + day)]
    opened = [*(Traffic("tcp", 22 + 100 * i, 22 + 100 * i) for i in range(_PORTS - 1)), *moved]
    region = Region(findings // _PORTS, [(traffic, "0.0.0.0/0") for traffic in opened])
    listed = tuple(Account(f"{number:012}", f"account-{number}") for number in range(accounts))
    for account in listed:
        scan = scan_target(Target(account.id, "eu-west-1"), region, Policy())
        body = encode_scan(account.id, AccountScan((scan.coverage,), scan.findings))
        objects.put_once(objects.scan_key(account.id), body)
    request = RunRequest(run, Trigger.SCHEDULE, Notify.CHANGES, ())
    plan = Plan(request, f"2030-01-0{day}T06:00:00Z", Listing(listed))
    objects.put_once(objects.accounts_key, encode_accounts(plan))
    objects.put_once(objects.plan_key, encode_plan(plan))


def report(folder: Path, run: str) -> None:
    """The report of a run, with its time and memory as JSON on standard output."""
    os.environ.update(_ENVIRONMENT)
    client = Folder(folder)
    report_accounts.Clients = lambda: SimpleNamespace(get=lambda _: client)  # type: ignore[assignment, attr-defined, misc]
    before = resource.getrusage(resource.RUSAGE_SELF)
    counts = report_accounts.lambda_handler({"run": run}, None)["counts"]
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    json.dump({"cpu": cpu, "peak": after.ru_maxrss * UNIT, **counts}, sys.stdout)


def _child(command: str, *arguments: object) -> str:
    program = [sys.executable, "-m", "benchmarks.organization", command, *map(str, arguments)]
    return subprocess.run(program, check=True, capture_output=True, text=True).stdout  # noqa: S603


def _main() -> None:
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
        return
    if sys.argv[1] == "report":
        report(Path(sys.argv[2]), sys.argv[3])
        return
    accounts, findings = int(sys.argv[1]), int(sys.argv[2])
    with TemporaryDirectory() as folder:
        for run in ("1", "2"):
            _child("prepare", folder, run, accounts, findings)
            figures = json.loads(_child("report", folder, run))
            size = (Path(folder) / "mail").stat().st_size
            print(  # noqa: T201 -- its result
                f"run {run}: {figures['findings']:,} findings, {figures['new']:,} new: "
                f"{figures['cpu']:.1f} s CPU, peak {figures['peak'] / 1e6:.0f} MB, "
                f"mail {size / 1e6:.1f} MB"
            )


if __name__ == "__main__":
    _main()
