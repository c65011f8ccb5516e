"""Config, tags, regions and the project's own modules reach the program and the account."""

import sys
from pathlib import Path

import pytest

from sandbox.aws.account import Account

from .conftest import Declare, Open

GROUP = ("aws:cloudwatch/logGroup:LogGroup", "log")
IDENTITY = ("aws:sesv2/emailIdentity:EmailIdentity", "sender")


def tags_of_group(account: Account, region: str = "eu-west-1") -> dict[str, str]:
    """The tags of the only log group."""
    client = account.client("logs", region)
    (group,) = client.describe_log_groups()["logGroups"]
    tags: dict[str, str] = client.list_tags_for_resource(resourceArn=group["logGroupArn"])["tags"]
    return tags


def test_default_tags(declare: Declare, stack: Open, account: Account) -> None:
    """Default tags are really set, lose to the resource's own, and a change is an update."""
    declare('aws.cloudwatch.LogGroup("log", tags={"Own": "me", "Team": "mine"})')
    stack(**{"aws:defaultTags": {"tags": {"Team": "theirs", "Cost": "7"}}}).up()
    assert tags_of_group(account) == {"Own": "me", "Team": "mine", "Cost": "7"}
    deployed = stack(**{"aws:defaultTags": {"tags": {"Cost": "8"}}})
    changes = deployed.up()
    assert changes.properties == {GROUP: ("tagsAll.Cost",)}
    assert tags_of_group(account) == {"Own": "me", "Team": "mine", "Cost": "8"}
    assert deployed.refresh().same == (GROUP,)


def test_changed_default_tags_settle(declare: Declare, stack: Open) -> None:
    """Default tags that are added or removed are one update, and then nothing changes."""
    declare("""
        aws.cloudwatch.LogGroup("log")
        aws.sesv2.EmailIdentity("sender", email_identity="audit@example.com")
    """)
    stack().up()
    for tags in ({"Cost": "7"}, {}):
        tagged = stack(**{"aws:defaultTags": {"tags": tags}})
        assert tagged.up().update == (GROUP, IDENTITY)
        assert tagged.up().same == (GROUP, IDENTITY)
        assert tagged.refresh().same == (GROUP, IDENTITY)


def test_regions_and_lookups(declare: Declare, stack: Open, account: Account) -> None:
    """A resource's own region and an explicit provider's go before the stack's.

    Lookups return the region, the account, the partition and the enabled regions.
    """
    declare("""
        pulumi.export("stack", aws.get_region().region)
        provider = aws.Provider("provider", region="us-east-1")
        aws.cloudwatch.LogGroup("own", name="own", region="us-east-2")
        other = pulumi.ResourceOptions(provider=provider)
        provided = aws.cloudwatch.LogGroup("provided", name="provided", opts=other)
        after = pulumi.ResourceOptions(depends_on=[provided])
        aws.cloudwatch.LogGroup("log", name="stack", opts=after)
        pulumi.export("own", aws.get_region(region="us-east-2").region)
        asked = pulumi.InvokeOptions(provider=provider)
        pulumi.export("provided", aws.get_region(opts=asked).region)
        pulumi.export("account", aws.get_caller_identity().account_id)
        pulumi.export("partition", aws.get_partition().partition)
        pulumi.export("regions", len(aws.get_regions().names))
    """)
    deployed = stack()
    deployed.up()
    regions = {"stack": "eu-west-1", "own": "us-east-2", "provided": "us-east-1"}
    found = {"account": "123456789012", "partition": "aws", "regions": 17}
    assert deployed.outputs == regions | found
    for name, region in regions.items():
        groups = account.client("logs", region).describe_log_groups()["logGroups"]
        assert [group["logGroupName"] for group in groups] == [name]
    assert deployed.refresh().update == ()


def test_own_modules_are_the_project_s(
    declare: Declare, stack: Open, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A module of the project is read afresh each time, whatever was imported under its name."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "ours.py").write_text('ANSWER = "elsewhere"')
    monkeypatch.syspath_prepend(str(elsewhere))
    import ours  # type: ignore[import-not-found]  # noqa: PLC0415

    declare('import ours\npulumi.export("answer", ours.ANSWER)')
    (folder / "ours.py").write_text('ANSWER = "first"')
    deployed = stack()
    deployed.up()
    assert deployed.outputs == {"answer": "first"}
    (folder / "ours.py").write_text('ANSWER = "the second"')
    deployed.up()
    assert deployed.outputs == {"answer": "the second"}
    assert sys.modules["ours"] is ours
    del sys.modules["ours"]
