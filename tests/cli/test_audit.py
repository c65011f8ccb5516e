"""The audit from a terminal: of snapshots, and of an account in the sandbox."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.parsers import EC2QueryParser
from click.testing import CliRunner, Result

from cli.__main__ import main
from sandbox.aws.account import Account
from sandbox.aws.seed import seed
from tests.support.security_groups import answer, permission

VECTORS = Path(__file__).parent.parent / "support" / "exposures.json"
NOTHING = '{"SecurityGroups": []}'
WORLD = "0.0.0.0/0"
SSH_GROUP = answer(permission("tcp", 22, 22, WORLD))


def run(*arguments: str, stdin: object = None) -> Result:
    """Run the command with JSON or raw bytes as its standard input."""
    content = stdin if isinstance(stdin, bytes) else json.dumps(stdin).encode()
    return CliRunner().invoke(main, ["audit", *arguments], input=content)


def process(*arguments: str, **streams: Any) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with the streams of ``subprocess.run``."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "audit", "--from-file", "-", *arguments],
        cwd=VECTORS.parents[2],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **streams,
    )


def audit(snapshot: dict[str, Any], *arguments: str) -> list[dict[str, Any]]:
    """The findings on a snapshot; asserts that the exit status fits them."""
    result = run("--from-file", "-", "--format", "json", *arguments, stdin=snapshot)
    findings = list(json.loads(result.stdout)["findings"])
    unreadable = any(finding["kind"] == "unreadable" for finding in findings)
    assert result.exit_code == (3 if unreadable else 0), result.output
    return findings


@pytest.mark.parametrize(
    "vector",
    [pytest.param(vector, id=vector["id"]) for vector in json.loads(VECTORS.read_text("utf-8"))],
)
def test_findings_on_a_vector_are_the_expected_ones(vector: dict[str, Any]) -> None:
    """Each expected finding of a vector is reported, and no other one."""
    # The report begins with the worst finding, a vector with the lowest port.
    reported = sorted(audit(vector["snapshot"]), key=lambda finding: finding["fromPort"] or 0)
    assert len(reported) == len(vector["expected"])
    for finding, expected in zip(reported, vector["expected"], strict=True):
        assert {key: finding[key] for key in expected} == expected


def test_fix_leaves_private_sources_alone() -> None:
    """A private source beside 0.0.0.0/0 is in neither sources nor fix (vector B15)."""
    (finding,) = audit({"SecurityGroups": [answer(permission("tcp", 22, 22, "10.0.0.0/8", WORLD))]})
    assert finding["sources"] == [WORLD]
    assert "10.0.0.0/8" not in finding["fix"]


def test_output_of_the_aws_cli_is_a_snapshot(tmp_path: Path) -> None:
    """Groups alone are a snapshot, also in UTF-16; the account is the groups' owner."""
    file = tmp_path / "groups.json"
    file.write_text(json.dumps({"SecurityGroups": [SSH_GROUP]}), encoding="utf-16")
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
            "notice": None,
            "readAt": "",
        }
    ]
    assert report["findings"][0]["attachment"] == "unknown"
    assert report["findings"][0]["fix"].startswith(
        "aws ec2 revoke-security-group-ingress --group-id sg-1 --ip-permissions "
    )


def test_snapshot_may_have_account_region_interfaces_and_rules() -> None:
    """Account, region, interfaces and rule ids are taken from the file."""
    rule = {"GroupId": "sg-1", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    (finding,) = audit(
        {
            "Account": "210987654321",
            "Region": "eu-north-1",
            "SecurityGroups": [SSH_GROUP],
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
def test_malformed_prefix_list_is_unreadable(prefix_list: object) -> None:
    """A prefix list without readable entries is an unreadable one, never an empty one."""
    group = answer(permission("tcp", 22, 22, "pl-1"))
    (finding,) = audit({"SecurityGroups": [group], "PrefixLists": [prefix_list]})
    assert (finding["kind"], finding["reach"]) == ("unreadable", "unknown")
    assert finding["detail"].startswith("prefix list pl-1 could not be read: ")


def test_equal_groups_are_read_once() -> None:
    """A group that is in the file twice has one finding; two that differ have two."""
    assert len(audit({"SecurityGroups": [SSH_GROUP, SSH_GROUP]})) == 1
    telnet = answer(permission("tcp", 23, 23, WORLD))
    assert len(audit({"SecurityGroups": [SSH_GROUP, telnet, SSH_GROUP]})) == 2


def test_policy_may_have_tabs_and_escapes(tmp_path: Path) -> None:
    """A policy in JSON may be indented by tabs and have escapes in its texts."""
    exception = {"group": "sg-1", "ports": "tcp/22", "reason": "\N{ROCKET}", "owner": "a"}
    policy = tmp_path / "policy.json"
    document = {"exceptions": [exception | {"until": "9999-12-31"}]}
    policy.write_text(json.dumps(document, indent="\t"))
    (finding,) = audit({"SecurityGroups": [SSH_GROUP]}, "--policy", str(policy))
    assert finding["exception"] == "accepted until 9999-12-31 by a: \N{ROCKET}"


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_policy_may_be_json_or_yaml(tmp_path: Path, suffix: str) -> None:
    """A trusted range of a policy in JSON or YAML has no finding."""
    policy = tmp_path / f"policy.{suffix}"
    policy.write_text(
        '{"trustedCidrs": ["8.8.0.0/16"]}' if suffix == "json" else "trustedCidrs: [8.8.0.0/16]\n"
    )
    snapshot = {"SecurityGroups": [answer(permission("tcp", 22, 22, "8.8.8.8/32"))]}
    assert audit(snapshot, "--policy", str(policy)) == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        pytest.param((), 0, id="report-only"),
        pytest.param(("--fail-on", "critical"), 0, id="nothing-that-severe"),
        pytest.param(("--fail-on", "high"), 1, id="exactly"),
        pytest.param(("--fail-on", "info"), 1, id="worse"),
    ],
)
def test_fail_on_sets_the_exit_status(arguments: tuple[str, ...], status: int) -> None:
    """With --fail-on a finding of that severity or worse exits with 1."""
    snapshot = {"SecurityGroups": [answer(permission("tcp", 9, 9, WORLD))]}
    assert run("--from-file", "-", *arguments, stdin=snapshot).exit_code == status


NO_JSON = "standard input: not JSON: "
NO_GROUPS = (
    "standard input: a snapshot must be an object with SecurityGroups, "
    "as aws ec2 describe-security-groups prints it, got "
)


@pytest.mark.parametrize(
    ("stdin", "sentence"),
    [
        pytest.param(b"", "standard input: it is empty\n", id="empty"),
        pytest.param(b"{", NO_JSON, id="cut"),
        pytest.param(b"\xff\xfe\xfa", NO_JSON, id="binary"),
        pytest.param(b"[" * 100_000, NO_JSON, id="deep"),
        pytest.param([], f"{NO_GROUPS}[].\n", id="list"),
        pytest.param({}, f"{NO_GROUPS}{{}}.\n", id="no-groups"),
        pytest.param(
            {"SecurityGroups": None},
            f"{NO_GROUPS}{{'SecurityGroups': null}}.\n",
            id="null",
        ),
        pytest.param(
            {"SecurityGroups": [], "NextToken": "x"},
            "standard input: only some of the groups: it ends with a NextToken\n",
            id="first-page",
        ),
        pytest.param(
            {"SecurityGroups": {}},
            "standard input: SecurityGroups must be a list, got {}.\n",
            id="groups",
        ),
        pytest.param(
            {"SecurityGroups": [], "NetworkInterfaces": 1},
            "standard input: NetworkInterfaces must be a list, got 1.\n",
            id="interfaces",
        ),
    ],
)
def test_malformed_snapshot_is_one_sentence(stdin: object, sentence: str) -> None:
    """A file that is no snapshot exits with 2 and one line that names it."""
    result = run("--from-file", "-", stdin=stdin)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {sentence}")
    assert result.stderr.count("\n") == 1


def snapshot_file(folder: Path, name: str, **fields: object) -> str:
    """The path of a snapshot with one group that opens SSH."""
    (folder / name).write_text(json.dumps({"SecurityGroups": [SSH_GROUP], **fields}))
    return str(folder / name)


def test_each_file_is_a_region(tmp_path: Path) -> None:
    """Three files are three regions of one report; a region may be known by a group's ARN only."""
    group = SSH_GROUP | {"SecurityGroupArn": "arn:aws-cn:ec2:cn-north-1:123456789012:x/sg-1"}
    files = (
        snapshot_file(tmp_path, "a", Region="eu-west-1"),
        snapshot_file(tmp_path, "b", Region="eu-west-2"),
        snapshot_file(tmp_path, "c", SecurityGroups=[group]),
    )
    arguments = [part for file in files for part in ("--from-file", file)]
    report = json.loads(run(*arguments, "--format", "json").stdout)
    regions = ["cn-north-1", "eu-west-1", "eu-west-2"]
    assert [coverage["region"] for coverage in report["coverage"]] == regions
    assert sorted(finding["region"] for finding in report["findings"]) == regions


def test_two_files_of_one_region_are_refused(tmp_path: Path) -> None:
    """Two files of the same account and region exit with 2 and both names."""
    first = snapshot_file(tmp_path, "a.json", Region="eu-west-1")
    second = snapshot_file(tmp_path, "b.json", Region="eu-west-1")
    result = run("--from-file", first, "--from-file", second)
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: {second}: eu-west-1 / 123456789012 is in {first} as well; "
        'give one file for each region, and add "Region" to files without groups\n'
    )


def test_partly_read_snapshot_exits_with_3() -> None:
    """A malformed interface leaves the target incomplete: 3, also where --fail-on is met."""
    snapshot = {"SecurityGroups": [SSH_GROUP], "NetworkInterfaces": [{}]}
    arguments = ("--format", "markdown", "--fail-on", "critical")
    result = run("--from-file", "-", *arguments, stdin=snapshot)
    assert result.exit_code == 3
    assert "a network interface must have a NetworkInterfaceId, got {}." in result.stdout


def policy_error(folder: Path, content: str) -> str:
    """What an audit with this policy.yaml prints after the folder; asserts that it exits with 2."""
    policy = folder / "policy.yaml"
    policy.write_text(content)
    result = run("--from-file", "-", "--policy", str(policy), stdin={"SecurityGroups": []})
    assert result.exit_code == 2
    return result.stderr.removeprefix(f"Error: {folder}/")


EXCEPTION = "{{group: a, ports: tcp/1, reason: a, owner: b, until: {}}}"
VALID = EXCEPTION.format("2099-01-01")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(
            "minimumSeverity: hihg",
            "policy.yaml: minimumSeverity must be one of critical, high, medium, low, info, "
            "got 'hihg'.",
            id="severity",
        ),
        pytest.param(
            f"exceptions: [{VALID}, {VALID}, {EXCEPTION.format('31.12.2027')}]",
            "policy.yaml: exceptions[2].until must be a date like 2027-12-31, got '31.12.2027'.",
            id="date",
        ),
        pytest.param(
            f"exceptions: [{EXCEPTION.format('2027-03-31 10:00:00')}]",
            "policy.yaml: exceptions[0].until must be a date like 2027-12-31, "
            "got '2027-03-31 10:00:00'.",
            id="time",
        ),
        pytest.param(
            "authorizedPorts: [tcp/80]\ntrustedCidrs: [a\n",
            "policy.yaml:3: expected ',' or ']', but got '<stream end>'",
            id="syntax",
        ),
        pytest.param(
            '{\n  "minimumSeverity": "low",\n}}',
            "policy.yaml:3: expected '<document start>', but found '}'",
            id="json-syntax",
        ),
        pytest.param(
            "trustedCidrs: []\nauthorizedPorts: []\ntrustedCidrs: [8.8.8.8]",
            "policy.yaml:3: duplicate key 'trustedCidrs'",
            id="duplicate",
        ),
        pytest.param(
            '{"minimumSeverity": "high", "minimumSeverity": "low"}',
            "policy.yaml: duplicate key 'minimumSeverity'",
            id="json-duplicate",
        ),
        pytest.param(
            "- a",
            "policy.yaml: policy must be an object with minimumSeverity, trustedCidrs, "
            "authorizedPorts, exceptions, got ['a'].",
            id="list",
        ),
    ],
)
def test_malformed_policy_names_file_line_and_key(
    tmp_path: Path, content: str, sentence: str
) -> None:
    """The line has the policy's file, with the line or key and value of what is wrong."""
    assert policy_error(tmp_path, content) == f"{sentence}\n"


@pytest.mark.parametrize(
    "content",
    [
        "[",
        "[]",
        "false",
        "\x00",
        "minimumSeverity: &a *a",
        "exceptions: [!!int x]",
        "minimumSeverity: !!bool x",
        "minimumSeverity: !!int ''",
        '{"\x1b[31m": 1, "\x1b[31m": 2}',
        f"exceptions: {'[' * 3000}",
        "? [a]\n: b",
    ],
)
def test_malformed_policy_is_one_printable_line(tmp_path: Path, content: str) -> None:
    """A file that is no policy exits with 2 and one printable line."""
    error = policy_error(tmp_path, content)
    assert error.startswith("policy.yaml:")
    assert error.removesuffix("\n").isprintable()


@pytest.mark.parametrize("option", ["--from-file", "--policy"])
def test_output_never_overwrites_an_input(tmp_path: Path, option: str) -> None:
    """--output with the path of an input, or of a link to it, exits with 2."""
    file = tmp_path / "groups.json"
    file.write_text('{"SecurityGroups": []}')
    link = tmp_path / "link.json"
    link.symlink_to(file)
    source = () if option == "--from-file" else ("--from-file", "-")
    result = run(*source, option, str(file), "--output", str(link), stdin={"SecurityGroups": []})
    assert result.exit_code == 2
    assert f"--output would overwrite {link}, which the audit reads." in result.stderr
    assert file.read_text() == '{"SecurityGroups": []}'


def test_output_never_overwrites_standard_input(tmp_path: Path) -> None:
    """--output with the path of the file that is standard input exits with 2."""
    file = tmp_path / "groups.json"
    file.write_text(NOTHING)
    with file.open("rb") as stream:
        completed = process("--output", str(file), stdin=stream, stdout=subprocess.PIPE)
    assert completed.returncode == 2
    assert "which the audit reads." in completed.stderr
    assert file.read_text() == NOTHING


@pytest.mark.parametrize("arguments", [(), ("--output", "/dev/stdout")], ids=["-", "device"])
def test_closed_pipe_does_not_change_the_exit_status(arguments: tuple[str, ...]) -> None:
    """The status is 0 when the reader of a pipe ends early, as head does."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        completed = process(*arguments, input=NOTHING, stdout=writer)
    finally:
        os.close(writer)
    assert (completed.returncode, completed.stderr) == (0, "")


def test_closed_standard_output_is_one_sentence(project: Path) -> None:
    """Without a standard output the audit exits with 2 and one line."""
    command = f"{shlex.quote(sys.executable)} -m cli audit --from-file - >&-"
    completed = subprocess.run(
        ["sh", "-c", command],  # noqa: S607
        cwd=project,
        input=NOTHING,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    sentence = "Error: standard output is closed.\n"
    assert (completed.returncode, completed.stderr) == (2, sentence)


def test_full_disk_is_one_sentence() -> None:
    """Standard output that cannot be written exits with 2 and one line."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        completed = process(input=NOTHING, stdout=full)
    sentence = "Error: standard output could not be written: No space left on device.\n"
    assert (completed.returncode, completed.stderr) == (2, sentence)


def test_unreadable_file_is_one_sentence() -> None:
    """A file that opens and cannot be read exits with 2 and one line that names it."""
    result = run("--from-file", "/proc/self/mem")
    assert result.exit_code == 2
    assert result.stderr == "Error: /proc/self/mem could not be read: Input/output error.\n"


def test_snapshot_has_no_profile_region_or_account() -> None:
    """--from-file together with --region exits with 2."""
    result = run("--from-file", "-", "--region", "eu-west-1", stdin={"SecurityGroups": []})
    assert result.exit_code == 2
    assert (
        "--from-file reads no account: leave out --profile, --region and --account."
        in result.stderr
    )


@pytest.fixture(scope="module")
def seeded_account() -> Iterator[Account]:
    """An account with groups of every kind."""
    with Account() as account:
        seed(account)
        yield account


@pytest.fixture
def account(seeded_account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The seeded account without faults; the caller's credentials are those of its owner."""
    seeded_account.faults.clear()
    for name, value in seeded_account.environment().items():
        monkeypatch.setenv(name, value)
    return seeded_account


@pytest.mark.usefixtures("account")
def test_account_is_read_with_the_credentials_of_the_caller() -> None:
    """Each --region is read, and the findings are those of the account."""
    result = run("--region", "us-east-1", "--region", "ap-southeast-2", "--format", "json")
    report = json.loads(result.stdout)
    regions = [coverage["region"] for coverage in report["coverage"]]
    assert regions == ["ap-southeast-2", "us-east-1"]
    assert report["summary"]["high"] == 3


def test_region_that_denies_access_exits_with_3(account: Account) -> None:
    """A denied region is reported with its error: 3, also where --fail-on is met."""
    account.faults.deny("DescribeSecurityGroups", "us-east-1")
    result = run("--region", "us-east-1", "--format", "html", "--fail-on", "critical")
    assert result.exit_code == 3
    assert "us-east-1 / 123456789012 (denied): UnauthorizedOperation" in result.stdout


@pytest.mark.usefixtures("account")
def test_groups_are_read_without_the_parser_of_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser of the client gets an empty element in place of DescribeSecurityGroups' answer."""
    bodies = []
    parse = EC2QueryParser.parse

    def recording_parse(parser: EC2QueryParser, response: dict[str, Any], shape: Any) -> Any:
        if getattr(shape, "name", "") == "DescribeSecurityGroupsResult":
            bodies.append(response["body"])
        return parse(parser, response, shape)

    monkeypatch.setattr(EC2QueryParser, "parse", recording_parse)
    result = run("--region", "us-east-1", "--format", "json")
    (coverage,) = json.loads(result.stdout)["coverage"]
    assert coverage["groups"] > 0
    # The sandbox parses its answer as well, before it sends it.
    _, body_of_the_client = bodies
    assert body_of_the_client == b"<empty/>"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--profile", "nobody"), "The config profile (nobody) could not be found."),
        ((), "Unable to locate credentials. Set AWS_PROFILE, or use --profile."),
    ],
)
def test_missing_credentials_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], sentence: str
) -> None:
    """An account that cannot be read exits with 2 and one line."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr == f"Error: the account could not be read: {sentence}\n"
