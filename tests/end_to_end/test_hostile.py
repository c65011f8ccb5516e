"""Text that somebody put into the account to attack the readers of the mail."""

import csv
import io

from tests.end_to_end.conftest import Deployed

MARKUP = "<img src=x onerror=alert(1)>"
FORMULA = "=SUM(1+1)*cmd()!A0"


def test_hostile_text_stays_text(deployed: Deployed) -> None:
    """Markup in tags and names adds no element to the mail, a formula no formula to its CSV."""
    ec2 = deployed.account.client("ec2")
    tags = [{"Key": "Owner", "Value": MARKUP}]
    group = ec2.create_security_group(
        GroupName=FORMULA,
        Description="@SUM(1+1) ;rm -rf /; {{7*7}} $(id)",
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )["GroupId"]
    source = {"CidrIp": "0.0.0.0/0", "Description": "=HYPERLINK(http://example.com/)"}
    permission = {"IpProtocol": "tcp", "FromPort": 2375, "ToPort": 2375, "IpRanges": [source]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    try:
        deployed.run()
    finally:
        ec2.delete_security_group(GroupId=group)
    (mail,) = deployed.mails()
    page = mail.message.get_body(("html",))
    assert page is not None
    assert MARKUP.replace("<", "&lt;").replace(">", "&gt;") in page.get_content()
    assert "<img" not in page.get_content()
    (attached,) = mail.message.iter_attachments()
    cells = [cell for row in csv.reader(io.StringIO(attached.get_content())) for cell in row]
    assert [cell for cell in cells if FORMULA in cell]
    assert not [cell for cell in cells if cell.startswith(("=", "@"))]
