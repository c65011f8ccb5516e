"""A deployed stack that audits many accounts: its organization, its runs, and what they left."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.aws.account import Account
from sandbox.aws.functions import caller_of
from sandbox.aws.mail import Mail
from sandbox.aws.members import Member, Organization
from sandbox.deployment.deploy import open_stack
from sandbox.lambda_host.host import Invocation
from tests.end_to_end.conftest import empty
from tests.support.stack import unwrapped

REGION = "eu-west-1"
WORLD = "0.0.0.0/0"


@dataclass
class DeployedOrganization:
    """A deployed stack and the organization that it audits."""

    account: Account
    organization: Organization
    outputs: dict[str, str] = field(default_factory=dict)
    seen_mails: int = 0
    seen_executions: int = 0
    opened: list[tuple[Any, str]] = field(default_factory=list)

    def forget_runs(self) -> None:
        """End all faults, empty the bucket, close what tests opened, leave out what was mailed."""
        self.account.faults.clear()
        empty(self.account, self.outputs["ledgerBucket"])
        for ec2, group_id in self.opened:
            ec2.delete_security_group(GroupId=group_id)
        self.opened.clear()
        self.mails()
        self.seen_executions = len(self.account.state_machines.wait())

    def function(self, part: str) -> str:
        """The name of the scan or the report function."""
        listed = self.account.client("lambda").list_functions()["Functions"]
        names = [item["FunctionName"] for item in listed]
        (name,) = [name for name in names if f"-{part}-function" in name]
        return str(name)

    def caller(self, part: str) -> str:
        """The key with which the scan or the report function signs."""
        return caller_of(self.function(part))

    def run(self, **event: object) -> str:
        """Start a run, by the schedule or with an event; the status of the last execution."""
        if event:
            self.start(event)
        else:
            (delivery,) = self.account.events.fire(self.outputs["scheduleRule"], REGION)
            assert [run.error for run in delivery.invocations] == [None]
        return str(self.executions()[-1].status)

    def executions(self) -> list[Any]:
        """The executions since the runs were forgotten, once all have ended."""
        return self.account.state_machines.wait(120)[self.seen_executions :]

    def start(self, event: dict[str, Any]) -> Invocation:
        """Invoke the start function with an event; its answer."""
        payload = json.dumps(event).encode()
        return self.account.functions.invoke(REGION, self.outputs["functionName"], payload)

    def mails(self) -> list[Mail]:
        """The mails since the last call."""
        mails = self.account.mails()[self.seen_mails :]
        self.seen_mails += len(mails)
        return mails

    def text(self) -> str:
        """The text part of the only mail since the last call, on one line."""
        (mail,) = self.mails()
        return text_of(mail)

    def open(self, account_id: str, group: str, port: int, region: str = REGION) -> None:
        """Open a port to the world in a new group, until the runs are forgotten."""
        member = self.organization.members[account_id]
        group_id = open_port(member, group, port, region)
        self.opened.append((member.client("ec2", region), group_id))

    def join(self, account_id: str, name: str, **openings: int) -> Member:
        """A new account in the audited unit; each group opens its port to the world."""
        member = self.organization.add_account(account_id, name, "workloads")
        for group, port in openings.items():
            open_port(member, group.replace("_", "-"), port)
        return member

    def keys(self, prefix: str) -> list[str]:
        """The keys in the stack's bucket that begin with this."""
        listed = self.account.client("s3").list_objects_v2(
            Bucket=self.outputs["ledgerBucket"], Prefix=prefix
        )
        return [item["Key"] for item in listed.get("Contents", ())]


def open_port(member: Member | Account, group: str, port: int, region: str = REGION) -> str:
    """Open a port to the world in a new group; the group's id."""
    ec2 = member.client("ec2", region)
    group_id: str = ec2.create_security_group(GroupName=group, Description="x")["GroupId"]
    permission = {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": WORLD}],
    }
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[permission])
    return group_id


def text_of(mail: Mail) -> str:
    """The text part of a mail on one line."""
    body = mail.message.get_body(("plain",))
    assert body is not None
    return unwrapped(body.get_content())


def fill_three(deployed: DeployedOrganization) -> None:
    """Three accounts, of which one opens SSH, one PostgreSQL, and one nothing."""
    deployed.join("210000000001", "shop", shop_bastion=22)
    deployed.join("210000000002", "payments", payments_database=5432)
    deployed.join("210000000003", "tools")


def deploy(
    project: Path,
    fill: Callable[[DeployedOrganization], None],
    entered: ExitStack,
    **config: object,
) -> DeployedOrganization:
    """Deploy stack dev into the management account of an organization that `fill` fills."""
    account = entered.enter_context(Account())
    deployed = DeployedOrganization(account, Organization(account))
    unit = deployed.organization.add_unit("workloads")
    fill(deployed)
    settings = {
        "organizationalUnits": [unit],
        "deployMemberRole": True,
        "regions": [REGION, "us-east-1"],
        **config,
    }
    opened = open_stack(project, "dev", account, config=settings, engine=False)
    opened.up()
    deployed.outputs.update(opened.outputs)
    return deployed
