"""CIDRs as families and intervals of integers."""

import pytest

from handler.model.address import Family, parse_cidr, subtract


@pytest.mark.parametrize(
    ("cidr", "family", "start", "end"),
    [
        pytest.param("0.0.0.0/0", Family.IPV4, 0, 2**32, id="ipv4-any"),
        pytest.param("1.0.0.0/0", Family.IPV4, 0, 2**32, id="host-bits"),
        pytest.param("8.8.8.8/32", Family.IPV4, 0x08080808, 0x08080809, id="one-address"),
        pytest.param("8.8.8.8", Family.IPV4, 0x08080808, 0x08080809, id="no-length"),
        pytest.param("::/0", Family.IPV6, 0, 2**128, id="ipv6-any"),
        pytest.param("2000::/3", Family.IPV6, 2 << 124, 4 << 124, id="ipv6-global"),
        pytest.param("::1/128", Family.IPV6, 1, 2, id="ipv6-one"),
    ],
)
def test_parses_cidrs(cidr: str, family: Family, start: int, end: int) -> None:
    """A CIDR is a family and a half-open interval of integers."""
    assert parse_cidr(cidr) == (family, (start, end))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "any",
        "0.0.0.0/33",
        "0.0.0.0/-1",
        "0.0.0.0/",
        "0.0.0.0/0/0",
        "0.0.0.0/ 8",
        "0.0.0.0/255.0.0.0",
        "0.0.0.0/\u0668",
        "256.0.0.0/8",
        "10.0.0/8",
        "::/129",
        "::/1000",
        "fe80::1%eth0/64",
        "0.0.0.0\x00/0",
        "1" * 100_000,
    ],
)
def test_refuses_what_is_not_a_cidr(text: str) -> None:
    """The ValueError is a sentence of fewer than 350 characters."""
    with pytest.raises(ValueError, match="is not a CIDR, for example") as error:
        parse_cidr(text)
    assert len(str(error.value)) < 350


def test_what_others_do_not_hold_is_left() -> None:
    """Intervals in part of others lose that part."""
    assert subtract([(0, 10), (20, 30)], [(3, 5), (8, 25)]) == [(0, 3), (5, 8), (25, 30)]
    assert subtract([(0, 10)], [(0, 10)]) == []
    assert subtract([(0, 10)], [(2, 8), (3, 5)]) == [(0, 2), (8, 10)]
