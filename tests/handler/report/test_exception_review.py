"""How to accept a finding."""

import pytest

from handler.policy.validation import ports
from handler.report.exception_review import policy_ports


@pytest.mark.parametrize(
    "text",
    ["all", "tcp/443", "tcp/8000-8010", "udp", "icmp", "icmp/8", "icmpv6/1/4", "protocol/50"],
)
def test_ports_are_written_as_a_policy_reads_them(text: str) -> None:
    """What the mail suggests for an exception means the same traffic there."""
    assert policy_ports(ports("ports", text)) == text
