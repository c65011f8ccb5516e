"""The documents list what the code has."""

import json
import re
from pathlib import Path

import pytest
import yaml

from cli.__main__ import main
from cli.formats import FORMATS
from cli.policy_file import read_policy
from handler.model.attachment import Attachment
from handler.model.digest_kind import DigestKind
from handler.model.finding import Kind, Severity, Status
from handler.model.reach import Reach
from handler.model.run import CoverageStatus, Trigger
from handler.report.csv import COLUMNS
from handler.report.json_report import report_from_json
from infra import organization_permissions as many
from infra import permissions
from tests.end_to_end.conftest import Deployed

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), PROJECT / "sandbox/README.md"]
)

ACTION = re.compile(r"`([\w-]+:\w+)`")


def rows(heading: str) -> list[list[str]]:
    """The cells, by row, of the only table whose heading row begins with these columns."""
    (table,) = [
        found
        for document in DOCUMENTS
        for found in re.findall(
            rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\n((?:\|.*\n)+)",
            document.read_text("utf-8"),
            re.MULTILINE,
        )
    ]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]


def default_text(value: object) -> str:
    """A default value as the documents show it."""
    if isinstance(value, list):
        return f"`[{', '.join(value)}]`"
    return f"`{value if isinstance(value, str) and value else json.dumps(value)}`"


def test_documents_list_the_settings(project: Path) -> None:
    """The table of settings has the keys, defaults and descriptions of Pulumi.yaml, in order."""
    declared = yaml.safe_load((project / "Pulumi.yaml").read_text("utf-8"))["config"]
    assert rows("key") == [
        [
            f"`{key}`",
            default_text(setting["default"]) if "default" in setting else "required",
            setting["description"],
        ]
        for key, setting in declared.items()
    ]


def test_documents_list_the_permissions() -> None:
    """The table of actions has exactly those that the function may use, each with a reason."""
    table = rows("action")
    actions = {
        *permissions.READ_ACTIONS,
        *permissions.ATTRIBUTION_ACTIONS,
        *permissions.EVENT_ACTIONS,
        *permissions.MAIL_ACTIONS,
        *permissions.LEDGER_LIST_ACTIONS,
        *permissions.LEDGER_READ_ACTIONS,
        *permissions.LEDGER_WRITE_ACTIONS,
        *permissions.LOG_ACTIONS,
    }
    assert {row[0].strip("`") for row in table} == actions
    assert all(row[2] for row in table)


def test_documents_list_the_permissions_for_many_accounts() -> None:
    """The table has the actions of each role but for those that read groups, which are above it."""
    listed = {
        (role, action)
        for role, actions, *_ in rows("role of")
        for action in ACTION.findall(actions)
    }
    functions = {
        "start function": many.start_policy(
            log_group_arn="log", bucket_arn="bucket", state_machine_arn="machine", lists_units=True
        ),
        "scan function": many.scan_policy(
            log_group_arn="log",
            bucket_arn="bucket",
            member_role_arn="role",
            accounts=["111122223333"],
            organization_id="o-ab12cd34ef",
            regions=[],
        ),
        "report function": many.report_policy(
            log_group_arn="log", bucket_arn="bucket", mail_arns=["identity"], sender="a@example.com"
        ),
    }
    machine = {
        *actions_of(many.state_machine_policy(bucket_arn="bucket", function_arns=["function"])),
        *actions_of(many.children_policy("machine")),
    }
    assert listed == {
        *((name, action) for name, policy in functions.items() for action in actions_of(policy)),
        *(("state machine", action) for action in machine),
        *(("each function", action) for action in permissions.LOG_ACTIONS),
    }


def actions_of(policy: permissions.Document) -> set[str]:
    """The actions of a policy without those that read groups or write a function's log."""
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    return actions - {*permissions.READ_ACTIONS, *permissions.LOG_ACTIONS}


def test_documents_list_the_options_of_audit() -> None:
    """Each option of `audit` has its row."""
    listed = "".join(row[0] for row in rows("option"))
    options = {option.opts[0] for option in main.commands["audit"].params}
    assert not [option for option in options if f"`{option}`" not in listed]


def test_documents_list_the_formats() -> None:
    """Each format of `audit` has its row."""
    assert sorted(row[0].strip("`") for row in rows("format")) == sorted(FORMATS)


def test_documents_list_the_columns_of_the_csv() -> None:
    """The table of columns names those of the CSV, in the CSV's order."""
    assert re.findall(r"`(\w+)`", "".join(row[0] for row in rows("column"))) == list(COLUMNS)


def test_documents_list_the_outputs(project: Path) -> None:
    """The table of outputs has each of the program's twelve exports."""
    component = (project / "infra" / "component.py").read_text("utf-8")
    (outputs,) = re.findall(r"self\.outputs = {(.*?)}", component, re.DOTALL)
    exports = re.findall(r'"(\w+)":', outputs)
    assert len(exports) == 12
    assert sorted(re.findall(r"`(\w+)`", "".join(row[0] for row in rows("output")))) == sorted(
        exports
    )


def test_example_of_an_exception_is_valid(project: Path) -> None:
    """The example in docs/exceptions.md is read as one exception of the web team."""
    text = (project / "docs" / "exceptions.md").read_text("utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    listed = yaml.safe_load(example)["config"]["security-group-audit:exceptions"]
    document = yaml.safe_dump({"exceptions": listed}).encode()
    (exception,) = read_policy("policy.yaml", document).exceptions
    assert exception.owner == "web team"


def test_readme_is_short(project: Path) -> None:
    """README.md has 600 to 900 words, without marks that are no words."""
    words = (project / "README.md").read_text("utf-8").split()
    assert 600 <= sum(bool(re.search(r"\w", word)) for word in words) <= 900


def test_readme_counts_what_comparisons_miss(deployed: Deployed) -> None:
    """Its figures are those of the demo's account: findings whose sources are no /0."""
    deployed.run()
    s3, bucket = deployed.account.client("s3"), deployed.outputs["ledgerBucket"]
    (stored,) = s3.list_objects_v2(Bucket=bucket, Prefix="reports/")["Contents"]
    report = report_from_json(
        json.loads(s3.get_object(Bucket=bucket, Key=stored["Key"])["Body"].read())
    )
    severe = [o for o in report.openings if o.finding.severity in {"critical", "high"}]
    sources = [{source for f in opening.findings for source in f.sources} for opening in severe]
    missed = [found for found in sources if not {"0.0.0.0/0", "::/0"} & found]
    readme = (PROJECT / "README.md").read_text("utf-8")
    assert (
        f"In the demo account, {len(missed)} of {len(severe)} critical and high findings" in readme
    )


@pytest.mark.parametrize(
    "words", [Reach, Kind, Severity, CoverageStatus, Attachment, Status, Trigger, DigestKind]
)
def test_the_architecture_explains_the_words(words: type[Reach]) -> None:
    """Every value of the report's vocabulary stands in the architecture's list of words."""
    meanings = "".join(row[1] for row in rows("word"))
    assert not [word for word in words if f"`{word}`" not in meanings]


def test_the_architecture_names_the_packages(project: Path) -> None:
    """Every package of the repository has its row."""
    table = "".join(row[0] for row in rows("folder | what it is | may import"))
    packages = {file.parent.name for file in project.glob("*/__init__.py")}
    assert not [name for name in packages if f"`{name}/`" not in table]


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Files and headings that a document links to exist, and so do its pictures."""
    text = document.read_text("utf-8")
    targets = re.findall(r"""(?:\]\(|src="|srcset=")([^)"\s]+)""", text)
    for target in targets:
        # The badge of CI is a page of the repository on GitHub.
        if "://" in target or target.startswith("../../actions/"):
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name) if name else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_pictures_are_small(project: Path) -> None:
    """No picture of the documents has more than 250 KB."""
    sizes = {picture.name: picture.stat().st_size for picture in project.glob("docs/pictures/*")}
    assert sizes
    assert not [name for name, size in sizes.items() if size > 250_000]


def test_every_document_is_linked_from_the_readme(project: Path) -> None:
    """A reader finds every page of docs/ from README.md."""
    readme = (project / "README.md").read_text("utf-8")
    pages = [f"docs/{page.name}" for page in project.glob("docs/*.md")]
    assert not [page for page in pages if f"]({page})" not in readme]
