"""The AWS CLI command that closes an exposure."""

import pytest

from handler.assess.remediation import authorize_command, revoke_command
from handler.model.address import Family
from handler.model.network import Rule
from handler.model.traffic import Traffic

SSH = Rule("sg-1", Traffic("tcp", 22, 22), "0.0.0.0/0")
OTHER = Rule("sg-2", Traffic("tcp", 22, 22), "::/0")
REVOKE = "aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id"


def test_known_rules_are_revoked_by_their_ids() -> None:
    """The command names the ids of the exposure's rules, sorted, and no other rule."""
    more = Rule("sg-1", Traffic("all"), "0.0.0.0/0")
    assert revoke_command("eu-west-1", [SSH, more], {SSH: "sgr-2", more: "sgr-1"}) == (
        f"{REVOKE} sg-1 --security-group-rule-ids sgr-1 sgr-2"
    )


def test_each_group_has_its_own_command() -> None:
    """Rules of two groups give two commands, because AWS revokes in one group at a time."""
    assert revoke_command("eu-west-1", [OTHER, SSH], {SSH: "sgr-1", OTHER: "sgr-2"}) == (
        f"{REVOKE} sg-1 --security-group-rule-ids sgr-1 && "
        f"{REVOKE} sg-2 --security-group-rule-ids sgr-2"
    )


@pytest.mark.parametrize(
    ("rule", "permission"),
    [
        pytest.param(
            SSH,
            '{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, '
            '"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}',
            id="ipv4",
        ),
        pytest.param(
            Rule("sg-1", Traffic("all"), "::/0"),
            '{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}',
            id="all-ipv6",
        ),
        pytest.param(
            Rule("sg-1", Traffic("icmp", icmp_type=8), "pl-1"),
            '{"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, '
            '"PrefixListIds": [{"PrefixListId": "pl-1"}]}',
            id="icmp-list",
        ),
        pytest.param(
            Rule("sg-1", Traffic("icmp"), "0.0.0.0/0"),
            '{"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, '
            '"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}',
            id="all-icmp",
        ),
        pytest.param(
            Rule("sg-1", Traffic("50"), "0.0.0.0/0"),
            '{"IpProtocol": "50", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}',
            id="numbered",
        ),
    ],
)
def test_a_rule_without_an_id_is_revoked_by_its_properties(rule: Rule, permission: str) -> None:
    """A rule whose id is unknown is named by protocol, ports and source."""
    assert (
        revoke_command("eu-west-1", [rule], {})
        == f"{REVOKE} sg-1 --ip-permissions '[{permission}]'"
    )


OPTION = "--endpoint-url=https://x"


@pytest.mark.parametrize(
    ("region", "rule", "rule_id"),
    [
        pytest.param("eu-west-1", SSH, OPTION, id="rule-id"),
        pytest.param("eu-west-1", SSH, "sgr-1 --debug", id="two-words"),
        pytest.param("eu-west-1", SSH, "sgr-1\n", id="line-end"),
        pytest.param("eu-west-1", SSH._replace(group_id=OPTION), "sgr-1", id="group"),
        pytest.param("eu-west-1", SSH._replace(group_id="vpc-1"), "sgr-1", id="other-kind"),
        pytest.param("eu-west-1", SSH._replace(source="pl-x"), None, id="prefix-list"),
        pytest.param(OPTION, SSH, "sgr-1", id="region"),
    ],
)
def test_an_id_that_is_not_ec2s_gives_no_command(
    region: str, rule: Rule, rule_id: str | None
) -> None:
    """An id from a file may be an option of the AWS CLI; no command is shown then."""
    assert revoke_command(region, [rule], {rule: rule_id} if rule_id else {}) is None


@pytest.mark.parametrize(("region", "group_id"), [("eu-west-1", OPTION), (OPTION, "sg-1")])
def test_an_odd_group_gives_no_command_to_let_a_range_in(region: str, group_id: str) -> None:
    """It is left out like the command that revokes."""
    assert authorize_command(region, group_id, Family.IPV4, SSH.traffic) is None
