"""The policy as it is written: what is read, and what is refused."""

from datetime import date
from typing import Any

import pytest

from handler.model.finding import Severity
from handler.model.policy_exception import PolicyException
from handler.model.traffic import Traffic
from handler.policy.policy import Policy
from handler.policy.validation import PolicyError


def test_parses_every_key() -> None:
    """The policy has the values of all keys of the stack's config."""
    exception = {"group": "sg-1", "ports": "tcp/443", "reason": "a", "owner": "b"}
    document = {
        "minimumSeverity": "high",
        "trustedCidrs": ["198.51.100.0/24", "8.8.8.8", "8.0.0.0/8", "2600::/12"],
        "authorizedPorts": ["tcp/443", "tcp/8000-8010", "udp", "icmp/8", "protocol/50"],
        "exceptions": [exception | {"until": "2027-01-31", "account": 123456789012}],
    }
    traffic = (
        Traffic("tcp", 443, 443),
        Traffic("tcp", 8000, 8010),
        Traffic("udp", 0, 65535),
        Traffic("icmp", icmp_type=8),
        Traffic("50"),
    )
    accepted = PolicyException(
        "sg-1", "tcp/443", traffic[0], "a", "b", date(2027, 1, 31), account="123456789012"
    )
    assert Policy.parse(document) == Policy(
        Severity.HIGH,
        ("198.51.100.0/24", "8.8.8.8", "8.0.0.0/8", "2600::/12"),
        traffic,
        (accepted,),
    )


def test_an_empty_policy_is_the_default() -> None:
    """Without keys the minimum severity is low, and nothing is trusted or accepted."""
    assert Policy.parse({}) == Policy(Severity.LOW, ())
    assert Policy().minimum_severity is Severity.LOW


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        pytest.param(
            [],
            "policy must be an object with minimumSeverity, trustedCidrs, authorizedPorts, "
            "exceptions, got [].",
        ),
        pytest.param(
            {"minimumSeverty": "low"},
            "a key of policy must be one of minimumSeverity, trustedCidrs, "
            "authorizedPorts, exceptions, got 'minimumSeverty'.",
        ),
        (
            {"minimumSeverity": None},
            "minimumSeverity must be one of critical, high, medium, low, info, got null.",
        ),
        (
            {"minimumSeverity": ["low"]},
            "minimumSeverity must be one of critical, high, medium, low, info, got ['low'].",
        ),
        ({"trustedCidrs": "8.8.8.8/32"}, "trustedCidrs must be a list of CIDRs, got '8.8.8.8/32'."),
        (
            {"trustedCidrs": ["office"]},
            "trustedCidrs[0] must be a CIDR like 192.0.2.0/24 or 2001:db8::/32, got 'office'.",
        ),
        pytest.param(
            {"trustedCidrs": ["8.8.8.8/32", "8.8.8.8/24"]},
            "trustedCidrs[1] must be a CIDR without host bits "
            "(use 8.8.8.0/24 or 8.8.8.8), got '8.8.8.8/24'.",
        ),
        (
            {"trustedCidrs": ["0.0.0.0/0"]},
            "trustedCidrs[0] must be a range of your own, /8 at the widest, got '0.0.0.0/0'.",
        ),
        (
            {"trustedCidrs": ["8.0.0.0/7"]},
            "trustedCidrs[0] must be a range of your own, /8 at the widest, got '8.0.0.0/7'.",
        ),
        (
            {"trustedCidrs": ["2600::/11"]},
            "trustedCidrs[0] must be a range of your own, /12 at the widest, got '2600::/11'.",
        ),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)
def test_an_invalid_policy_is_refused(document: object, sentence: str) -> None:
    """The PolicyError is one sentence with key, expectation and value."""
    with pytest.raises(PolicyError) as error:
        Policy.parse(document)
    assert str(error.value) == sentence


PORTS = "tcp/443, tcp/8000-8010, udp, icmp/8, protocol/50 or all"


@pytest.mark.parametrize(
    ("ports", "got"),
    [
        ("443", "'443'"),
        (" 6", "' 6'"),
        ("50", "'50'"),
        ("protocol", "'protocol'"),
        ("protocol/tcp", "'protocol/tcp'"),
        ("protocol/-1", "'protocol/-1'"),
        ("protocol/256", "'protocol/256'"),
        ("protocol/50/1", "'protocol/50/1'"),
        ("tcp/", "'tcp/'"),
        ("tcp/0-65536", "'tcp/0-65536'"),
        ("tcp/20-10", "'tcp/20-10'"),
        ("tcp/a", "'tcp/a'"),
        ("tcp/1-2-3", "'tcp/1-2-3'"),
        ("tcp/-1", "'tcp/-1'"),
        ("tcp/²", "'tcp/²'"),
        ("icmp/8-9", "'icmp/8-9'"),
        ("icmp/256", "'icmp/256'"),
        ("all/22", "'all/22'"),
        ("50/1", "'50/1'"),
        ("sctp/1", "'sctp/1'"),
        (443, "443"),
        (True, "true"),
        (None, "null"),
        ([], "[]"),
        ("", "''"),
    ],
)
def test_invalid_ports_are_refused(ports: object, got: str) -> None:
    """Ports are a protocol, with ports, type and code or number as the protocol has them."""
    with pytest.raises(PolicyError) as error:
        Policy.parse({"authorizedPorts": [ports]})
    assert str(error.value) == f"authorizedPorts[0] must be of the form {PORTS}, got {got}."


def test_all_traffic_cannot_be_authorized() -> None:
    """Authorizing all traffic of all groups is refused."""
    with pytest.raises(PolicyError, match=r"^authorizedPorts\[1\] must be narrower "):
        Policy.parse({"authorizedPorts": ["udp", "-1"]})


TEXT = "a text of 1 to 255 characters"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"reason": None},
            "exceptions[0] must have reason.",
        ),
        (
            {"owner": "", "until": None},
            "exceptions[0] must have owner, until.",
        ),
        (
            {"expires": "2027-01-01"},
            (
                "a key of exceptions[0] must be one of group, ports, reason, owner, until, "
                "source, account, region, got 'expires'."
            ),
        ),
        ({"reason": " "}, f"exceptions[0].reason must be {TEXT}, got ' '."),
        ({"ports": 22}, f"exceptions[0].ports must be of the form {PORTS}, got 22."),
        ({"source": ""}, f"exceptions[0].source must be {TEXT}, got ''."),
        ({"region": ""}, f"exceptions[0].region must be {TEXT}, got ''."),
        (
            {"account": ""},
            "exceptions[0].account must be an account ID of 12 digits in quotes, got ''.",
        ),
        ({"source": None}, f"exceptions[0].source must be {TEXT}, got null."),
        (
            {"source": "8.8.8.8/0"},
            (
                "exceptions[0].source must be a CIDR without host bits "
                "(use 0.0.0.0/0 or 8.8.8.8), got '8.8.8.8/0'."
            ),
        ),
        ({"group": 7}, f"exceptions[0].group must be {TEXT}, got 7."),
        ({"ports": "https"}, f"exceptions[0].ports must be of the form {PORTS}, got 'https'."),
        ({"until": "soon"}, "exceptions[0].until must be a date like 2027-12-31, got 'soon'."),
        (
            {"until": "2027-02-30"},
            "exceptions[0].until must be a date like 2027-12-31, got '2027-02-30'.",
        ),
        (
            {"until": "2025-11-22"},
            "exceptions[0].until must be a date within the last year or later, got '2025-11-22'.",
        ),
        (
            {"source": "office"},
            (
                "exceptions[0].source must be a prefix list ID or a CIDR like "
                "192.0.2.0/24 or 2001:db8::/32, got 'office'."
            ),
        ),
        (
            {"account": "1"},
            "exceptions[0].account must be an account ID of 12 digits in quotes, got '1'.",
        ),
        (
            {"account": 0o12345670123},
            "exceptions[0].account must be an account ID of 12 digits in quotes, got 1402433619.",
        ),
        ({"region": "mars"}, "exceptions[0].region must be a region like eu-west-1, got 'mars'."),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)
def test_an_invalid_exception_is_refused(changed: dict[str, Any], sentence: str) -> None:
    """The PolicyError is one sentence with the exception's index, key, expectation and value."""
    exception = {"group": "sg-1", "ports": "tcp/443", "reason": "a", "owner": "b"}
    document = {"exceptions": [exception | {"until": "2027-01-31"} | changed]}
    with pytest.raises(PolicyError) as error:
        Policy.parse(document, date(2026, 11, 23))
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    "until",
    [
        pytest.param("2027-03-31", id="text"),
        pytest.param(date(2027, 3, 31), id="yaml"),
        pytest.param("2027-03-31T00:00:00Z", id="iso"),
        pytest.param("2027-03-31 00:00:00 +0000 UTC", id="engine"),
    ],
)
def test_a_date_may_be_a_date_or_a_time(until: object) -> None:
    """YAML makes a date of an unquoted day, and Pulumi's engine a time."""
    exception = {"group": "a", "ports": "tcp/1", "reason": "a", "owner": "b", "until": until}
    assert Policy.parse({"exceptions": [exception]}).exceptions[0].until == date(2027, 3, 31)


def test_reason_and_owner_are_one_line() -> None:
    """White space in a reason or an owner becomes one space; inside a group's name it is kept."""
    exception = {"group": "a  b ", "ports": "tcp/1", "reason": "a\n  b", "owner": "b\r\nc"}
    (accepted,) = Policy.parse({"exceptions": [exception | {"until": "2027-03-31"}]}).exceptions
    assert (accepted.group, accepted.reason, accepted.owner) == ("a  b", "a b", "b c")


def test_a_deployed_policy_may_have_old_exceptions() -> None:
    """Without today's date an exception that expired long ago is valid."""
    exception = {"group": "a", "ports": "tcp/1", "reason": "a", "owner": "b", "until": "2001-01-01"}
    assert Policy.parse({"exceptions": [exception]}).exceptions


@pytest.mark.parametrize("value", [{}, "x", [1], [None]])
def test_exceptions_are_a_list_of_objects(value: object) -> None:
    """Anything else is refused with one sentence."""
    with pytest.raises(
        PolicyError, match=r"^exceptions(\[0\])? must be an? (list|object with group, )"
    ):
        Policy.parse({"exceptions": value})
