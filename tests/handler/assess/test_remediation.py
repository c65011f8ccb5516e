"""The AWS CLI command that closes an exposure."""

import pytest

from handler.assess.remediation import revoke_command
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
