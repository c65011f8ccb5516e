"""An audit from a terminal: of a saved snapshot, or with the caller's own credentials."""

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import boto3
import yaml
from rich.console import Console

from cli.errors import AuditError
from cli.snapshot import Snapshot, SnapshotError
from handler import clock
from handler.audit import report, scans
from handler.aws import FAILURES, Clients, sentence
from handler.model import Report, Run, Scan, Severity, Trigger
from handler.policy import Policy
from handler.report import words
from handler.scan import scan

# Where EC2 is asked for the regions when the caller has configured none.
_HOME = "us-east-1"


def of_snapshot(content: bytes, policy: Policy) -> Report:
    """The report on a saved snapshot. Raises ``AuditError`` when it is none."""
    started_at = clock.stamp()
    try:
        snapshot = Snapshot(content)
    except SnapshotError as error:
        raise AuditError(str(error)) from error
    return _report(started_at, [scan(snapshot.target, snapshot, policy)], policy)


def of_account(profile: str | None, regions: Sequence[str], policy: Policy) -> Report:
    """The report on these regions of the caller's account, or on all enabled ones.

    Raises ``AuditError`` when not even the account is known.
    """
    started_at = clock.stamp()
    try:
        home = boto3.Session(profile_name=profile).region_name or _HOME
        session = boto3.Session(profile_name=profile, region_name=home)
        return _report(
            started_at,
            _progress(scans(Clients(session), regions, policy)),
            policy,
            whole=not regions,
        )
    except FAILURES as error:
        message = f"the account could not be read: {sentence(error)}"
        raise AuditError(message) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as an object. Raises ``ValueError`` for a key that is there twice."""
    keys = Counter(key for key, _ in pairs)
    if twice := next((key for key, times in keys.items() if times > 1), None):
        message = f"the key {twice} is there twice"
        raise ValueError(message)
    return dict(pairs)


class _Loader(yaml.SafeLoader):
    """Leaves dates as they are written, and refuses a key that is there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 -- as PyYAML has it
        _once([(str(key.value), value) for key, value in node.value])
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if not tag.endswith(":timestamp")]
    for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_policy(content: bytes) -> Policy:
    """The policy in a JSON or YAML file. Raises ``AuditError``."""
    try:
        document = _document(content)
        return Policy.parse({} if document is None else document, clock.now().date())
    # PyYAML passes on what Python says of odd numbers, and fails at tags that their values do not
    # fit.
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError) as error:
        reason = " ".join(str(error).split())
    except RecursionError:
        reason = "it is nested too deeply"
    message = f"the policy must be JSON or YAML that makes sense: {words.plain(reason)}"
    raise AuditError(message)


def _document(content: bytes) -> Any:
    try:
        return json.loads(content, object_pairs_hook=_once)
    # Both are ValueErrors, as is what a key says that is there twice.
    except (json.JSONDecodeError, UnicodeDecodeError):
        # An empty file is the default policy.
        return yaml.load(content, _Loader)  # noqa: S506 -- it is a safe one


def exit_status(audited: Report, fail_on: Severity | None) -> int:
    """2 when something was not read, 1 when a finding is that severe or worse, else 0."""
    if not audited.complete:
        return 2
    return int(
        fail_on is not None
        and any(finding.severity.rank <= fail_on.rank for finding in audited.open)
    )


def _progress(scanned: Iterable[Scan]) -> Iterator[Scan]:
    """The scans as they come, and on a terminal how far they have come."""
    with Console(stderr=True).status("Reading the regions ...") as status:
        for number, each in enumerate(scanned, start=1):
            status.update(f"Regions read: {number}, the last one {each.coverage.target.region}")
            yield each


def _report(
    started_at: str, scanned: Iterable[Scan], policy: Policy, *, whole: bool = True
) -> Report:
    read = list(scanned)
    run = Run(str(uuid.uuid4()), Trigger.MANUAL, started_at, clock.stamp(), whole=whole)
    return report(run, read, policy)
