"""The audit from a terminal: of snapshots, and of an account on this machine."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from sandbox.aws.account import Account
from sandbox.aws.seed import seed
from tests.support.security_groups import answer, permission

VECTORS = Path(__file__).parent.parent / "support" / "exposures.json"
NOTHING = '{"SecurityGroups": []}'
WORLD = "0.0.0.0/0"
SSH = answer(permission("tcp", 22, 22, WORLD))


def run(*arguments: str, given: object = None) -> Result:
    """Run the command with a snapshot as its standard input, or with raw bytes."""
    content = given if isinstance(given, bytes) else json.dumps(given).encode()
    return CliRunner().invoke(main, ["audit", *arguments], input=content)


def process(*arguments: str, **streams: Any) -> subprocess.CompletedProcess[str]:
    """Run the command on standard input as a shell does, with streams as subprocess takes them."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "audit", "--from-file", "-", *arguments],
        cwd=VECTORS.parents[3],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **streams,
    )


def found(snapshot: dict[str, Any], *arguments: str) -> list[dict[str, Any]]:
    """The findings on a snapshot."""
    result = run("--from-file", "-", "--format", "json", *arguments, given=snapshot)
    findings = list(json.loads(result.stdout)["findings"])
    unreadable = any(finding["kind"] == "unreadable" for finding in findings)
    assert result.exit_code == (2 if unreadable else 0), result.output
    return findings


@pytest.mark.parametrize(
    "vector",
    [pytest.param(each, id=each["id"]) for each in json.loads(VECTORS.read_text("utf-8"))],
)
def test_vectors(vector: dict[str, Any]) -> None:
    """Every expected finding of a vector is reported, and no other one."""
    # The report puts the worst first, the vectors the lowest port.
    reported = sorted(found(vector["snapshot"]), key=lambda finding: finding["fromPort"] or 0)
    assert len(reported) == len(vector["expected"])
    for finding, expected in zip(reported, vector["expected"], strict=True):
        assert {key: finding[key] for key in expected} == expected


def test_a_private_source_next_to_an_open_one_is_not_named() -> None:
    """Vector B15: closing what is named leaves the private source alone."""
    (finding,) = found({"SecurityGroups": [answer(permission("tcp", 22, 22, "10.0.0.0/8", WORLD))]})
    assert finding["sources"] == [WORLD]
    assert "10.0.0.0/8" not in finding["fix"]


def test_what_the_aws_cli_prints_works_as_it_is(tmp_path: Path) -> None:
    """Groups alone are a snapshot; the account is the groups' owner."""
    file = tmp_path / "groups.json"
    file.write_text(json.dumps({"SecurityGroups": [SSH]}), encoding="utf-16")
    result = run("--from-file", str(file), "--format", "json")
    report = json.loads(result.stdout)
    assert report["coverage"] == [
        {
            "account": "123456789012",
            "region": "unknown",
            "status": "ok",
            "groups": 1,
            "rules": 1,
            "error": None,
        }
    ]
    assert report["findings"][0]["attachment"] == "unknown"
    assert report["findings"][0]["fix"].startswith(
        "aws ec2 revoke-security-group-ingress --group-id sg-1 --ip-permissions "
    )


def test_a_snapshot_may_know_more() -> None:
    """Account, region, interfaces and rule ids are taken from the file."""
    rule = {"GroupId": "sg-1", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    (finding,) = found(
        {
            "Account": "210987654321",
            "Region": "eu-north-1",
            "SecurityGroups": [SSH],
            "SecurityGroupRules": [rule | {"SecurityGroupRuleId": "sgr-1", "CidrIpv4": WORLD}],
            "NetworkInterfaces": [
                {"NetworkInterfaceId": "eni-1", "Groups": [{"GroupId": "sg-1"}]},
                {"NetworkInterfaceId": "eni-2", "Groups": [{"GroupId": "sg-2"}]},
            ],
        }
    )
    assert (finding["account"], finding["region"]) == ("210987654321", "eu-north-1")
    assert (finding["attachment"], finding["interfaces"]) == ("internal", ["eni-1"])
    assert finding["ruleIds"] == ["sgr-1"]


@pytest.mark.parametrize(
    "prefix_list",
    [
        pytest.param({"PrefixListId": "pl-1", "OwnerId": "1"}, id="no-entries"),
        pytest.param({"PrefixListId": "pl-1", "Entries": "x"}, id="entries-no-list"),
        pytest.param({"PrefixListId": "pl-1", "Entries": [{"Cidr": "x"}]}, id="no-cidr"),
        pytest.param({"PrefixListId": ["pl-1"], "Entries": []}, id="odd-id"),
        pytest.param("pl-1", id="no-object"),
    ],
)
def test_a_list_that_makes_no_sense_is_unreadable(prefix_list: object) -> None:
    """A list without readable entries is never taken for an empty one."""
    group = answer(permission("tcp", 22, 22, "pl-1"))
    (finding,) = found({"SecurityGroups": [group], "PrefixLists": [prefix_list]})
    assert (finding["kind"], finding["reach"]) == ("unreadable", "unknown")
    assert finding["detail"].startswith("prefix list pl-1 could not be read: ")


def test_a_group_that_is_in_the_file_twice_is_one() -> None:
    """Files that were put together may overlap; what differs is read as well."""
    assert len(found({"SecurityGroups": [SSH, SSH]})) == 1
    telnet = answer(permission("tcp", 23, 23, WORLD))
    assert len(found({"SecurityGroups": [SSH, telnet, SSH]})) == 2


def test_a_policy_is_json_as_programs_write_it(tmp_path: Path) -> None:
    """With tabs, and with letters as escapes."""
    accepted = {"group": "sg-1", "ports": "tcp/22", "reason": "\N{ROCKET}", "owner": "a"}
    policy = tmp_path / "policy.json"
    document = {"exceptions": [accepted | {"until": "9999-12-31"}]}
    policy.write_text(json.dumps(document, indent="\t"))
    (finding,) = found({"SecurityGroups": [SSH]}, "--policy", str(policy))
    assert finding["exception"] == "accepted until 9999-12-31 by a: \N{ROCKET}"


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_policy_may_be_given(tmp_path: Path, suffix: str) -> None:
    """JSON and YAML say the same: trusted ranges are left out."""
    policy = tmp_path / f"policy.{suffix}"
    policy.write_text(
        '{"trustedCidrs": ["8.8.0.0/16"]}' if suffix == "json" else "trustedCidrs: [8.8.0.0/16]\n"
    )
    snapshot = {"SecurityGroups": [answer(permission("tcp", 22, 22, "8.8.8.8/32"))]}
    assert found(snapshot, "--policy", str(policy)) == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        pytest.param((), 0, id="report-only"),
        pytest.param(("--fail-on", "critical"), 0, id="nothing-that-severe"),
        pytest.param(("--fail-on", "high"), 1, id="exactly"),
        pytest.param(("--fail-on", "info"), 1, id="worse"),
    ],
)
def test_the_exit_status_says_how_bad_it_is(arguments: tuple[str, ...], status: int) -> None:
    """With --fail-on a finding at or above that severity fails the command."""
    snapshot = {"SecurityGroups": [answer(permission("tcp", 9, 9, WORLD))]}
    assert run("--from-file", "-", *arguments, given=snapshot).exit_code == status


BAD = "Error: the snapshot must be"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param(b"", f"{BAD} JSON, it is not: ", id="empty"),
        pytest.param(b"{", f"{BAD} JSON, it is not: ", id="cut"),
        pytest.param(b"\xff\xfe\xfa", f"{BAD} JSON, it is not: ", id="binary"),
        pytest.param(b"[" * 100_000, f"{BAD} JSON, it is not: ", id="deep"),
        pytest.param([], f"{BAD} an object with SecurityGroups, as aws ec2 ", id="list"),
        pytest.param({}, f"{BAD} an object with SecurityGroups, as aws ec2 ", id="no-groups"),
        pytest.param(
            {"SecurityGroups": None}, f"{BAD} an object with SecurityGroups, as ", id="null"
        ),
        pytest.param(
            {"SecurityGroups": [], "NextToken": "x"},
            "Error: the snapshot holds only some of the groups: it ends with a NextToken.",
            id="first-page",
        ),
        pytest.param(
            {"SecurityGroups": {}}, "Error: SecurityGroups must be a list, got {}.", id="groups"
        ),
        pytest.param(
            {"SecurityGroups": [], "NetworkInterfaces": 1},
            "Error: NetworkInterfaces must be a list, got 1.",
            id="interfaces",
        ),
    ],
)
def test_a_bad_snapshot_is_one_sentence(given: object, sentence: str) -> None:
    """What is no snapshot is said in a line, and the status is 2."""
    result = run("--from-file", "-", given=given)
    assert result.exit_code == 2
    assert result.stderr.startswith(sentence)
    assert result.stderr.count("\n") == 1


def test_a_snapshot_that_is_only_partly_read_says_so() -> None:
    """An interface that makes no sense is a failure of the target, and the status is 2."""
    snapshot = {"SecurityGroups": [SSH], "NetworkInterfaces": [{}]}
    arguments = ("--format", "markdown", "--fail-on", "critical")
    result = run("--from-file", "-", *arguments, given=snapshot)
    assert result.exit_code == 2
    assert "a network interface must have a NetworkInterfaceId, got {}." in result.stdout


@pytest.mark.parametrize(
    "content",
    [
        "minimumSeverity: worst",
        "[",
        "- a",
        "[]",
        "false",
        "trustedCidrs: x",
        "exceptions: [{until: 2027-02-30}]",
        "exceptions: [!!int x]",
        "minimumSeverity: !!bool x",
        "minimumSeverity: !!int ''",
        '{"minimumSeverity": "high", "minimumSeverity": "low"}',
        '{"\x1b[31m": 1, "\x1b[31m": 2}',
        f"exceptions: {'[' * 3000}",
        "? [a]\n: b",
        "trustedCidrs: []\ntrustedCidrs: [8.8.8.8]",
    ],
)
def test_a_bad_policy_is_one_sentence(tmp_path: Path, content: str) -> None:
    """A policy that makes no sense is said in a line, and the status is 2."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(content)
    result = run("--from-file", "-", "--policy", str(policy), given={"SecurityGroups": []})
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: the policy must be JSON or YAML that makes sense: ")
    assert result.stderr.removesuffix("\n").isprintable()


@pytest.mark.parametrize("until", ["2027-02-30", "2027-03-31 10:00:00", "31.03.2027"])
def test_a_bad_date_is_named(tmp_path: Path, until: str) -> None:
    """It is said where it stands, with or without quotes."""
    policy = tmp_path / "policy.yaml"
    exception = f"group: a, ports: tcp/1, reason: a, owner: b, until: {until}"
    policy.write_text(f"exceptions: [{{{exception}}}]")
    result = run("--from-file", "-", "--policy", str(policy), given={"SecurityGroups": []})
    assert result.stderr == (
        "Error: the policy must be JSON or YAML that makes sense: exceptions[0].until must be a "
        f"date as in 2027-12-31, got '{until}'.\n"
    )


@pytest.mark.parametrize("read", ["--from-file", "--policy"])
def test_what_is_read_is_not_overwritten(tmp_path: Path, read: str) -> None:
    """A slip of the fingers does not cost the snapshot, however its path is written."""
    file = tmp_path / "groups.json"
    file.write_text('{"SecurityGroups": []}')
    same = tmp_path / "link.json"
    same.symlink_to(file)
    given = () if read == "--from-file" else ("--from-file", "-")
    result = run(*given, read, str(file), "--output", str(same), given={"SecurityGroups": []})
    assert result.exit_code == 2
    assert f"--output would overwrite {same}, which the audit reads." in result.stderr
    assert file.read_text() == '{"SecurityGroups": []}'


def test_standard_input_is_not_overwritten(tmp_path: Path) -> None:
    """A shell opens a file for the audit, and it is the same file."""
    file = tmp_path / "groups.json"
    file.write_text(NOTHING)
    with file.open("rb") as stream:
        ended = process("--output", str(file), stdin=stream, stdout=subprocess.PIPE)
    assert ended.returncode == 2
    assert "which the audit reads." in ended.stderr
    assert file.read_text() == NOTHING


def test_a_reader_that_goes_does_not_change_the_status() -> None:
    """As head does; 1 would mean that a finding is severe."""
    read, write = os.pipe()
    os.close(read)
    try:
        ended = process(input=NOTHING, stdout=write)
    finally:
        os.close(write)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_full_disk_is_one_sentence() -> None:
    """Standard output that takes nothing is an error like any other."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = process(input=NOTHING, stdout=full)
    said = "Error: standard output could not be written: No space left on device.\n"
    assert (ended.returncode, ended.stderr) == (2, said)


def test_a_file_and_an_account_are_one_too_many() -> None:
    """A snapshot has no profile and no other region."""
    result = run("--from-file", "-", "--region", "eu-west-1", given={"SecurityGroups": []})
    assert result.exit_code == 2
    assert "--from-file reads no account: leave out --profile and --region." in result.stderr


def test_an_account_is_read_with_the_callers_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every region that is named is read; findings are those of the account."""
    with Account() as account:
        seed(account)
        for name, value in account.environment().items():
            monkeypatch.setenv(name, value)
        result = run("--region", "us-east-1", "--region", "ap-southeast-2", "--format", "json")
        account.faults.deny("DescribeSecurityGroups", "us-east-1")
        denied = run("--region", "us-east-1", "--format", "html", "--fail-on", "critical")
    report = json.loads(result.stdout)
    assert [each["region"] for each in report["coverage"]] == ["ap-southeast-2", "us-east-1"]
    assert report["summary"]["high"] == 3
    assert denied.exit_code == 2
    assert "us-east-1 / 123456789012 (denied): UnauthorizedOperation" in denied.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--profile", "nobody"), "The config profile (nobody) could not be found."),
        ((), "Unable to locate credentials."),
    ],
)
def test_no_credentials_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], sentence: str
) -> None:
    """An account that cannot be reached is said in a line, and the status is 2."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr == f"Error: the account could not be read: {sentence}\n"
