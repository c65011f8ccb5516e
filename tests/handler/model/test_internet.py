"""The public addresses of each family, and how many of them a CIDR covers."""

import pytest

from handler.model.address import Family
from handler.model.internet import Internet, Internets
from handler.model.reach import Breadth, Reach

IPV4 = Internet(Family.IPV4)
IPV6 = Internet(Family.IPV6)


def public(cidr: str, internets: Internets | None = None) -> int:
    """How many public addresses a CIDR covers."""
    _, (start, end) = (internets or Internets()).locate(cidr)
    return end - start


def test_the_size_of_the_ipv4_internet() -> None:
    """All of IPv4 less the special-purpose blocks is 3,702,258,432 addresses."""
    assert IPV4.size == 3_702_258_432


def test_the_size_of_the_ipv6_internet() -> None:
    """2000::/3 less the two documentation blocks."""
    assert IPV6.size == 42_534_971_267_335_486_991_930_705_179_406_499_840


@pytest.mark.parametrize(
    ("cidr", "addresses"),
    [
        pytest.param("0.0.0.0/1", 2_092_957_696, id="lower-half"),
        pytest.param("128.0.0.0/1", 1_609_300_736, id="upper-half"),
        pytest.param("10.0.0.0/7", 2**24, id="half-private"),
        pytest.param("9.255.255.255/32", 1, id="last-before-private"),
        pytest.param("11.0.0.0/32", 1, id="first-after-private"),
        pytest.param("10.0.0.0/8", 0, id="ten"),
        pytest.param("172.16.0.0/12", 0, id="172.16"),
        pytest.param("172.15.255.255/32", 1, id="before-172.16"),
        pytest.param("172.32.0.0/32", 1, id="after-172.16"),
        pytest.param("192.168.0.0/16", 0, id="192.168"),
        pytest.param("100.64.0.0/10", 0, id="carrier-nat"),
        pytest.param("169.254.169.254/32", 0, id="metadata"),
        pytest.param("198.18.0.0/15", 0, id="benchmarking"),
        pytest.param("224.0.0.0/3", 0, id="multicast-and-reserved"),
        pytest.param("255.255.255.255/32", 0, id="broadcast"),
        pytest.param("::/1", IPV6.size, id="ipv6-lower-half"),
        pytest.param("8000::/1", 0, id="ipv6-upper-half"),
        pytest.param("fc00::/7", 0, id="unique-local"),
        pytest.param("::ffff:0:0/96", 0, id="ipv4-mapped"),
        pytest.param("64:ff9b::/96", 0, id="nat64"),
        pytest.param("2001:db8::/32", 0, id="documentation"),
        pytest.param("3fff::/20", 0, id="newer-documentation"),
        pytest.param("2600:1f00::/24", 2**104, id="ipv6-24"),
    ],
)
def test_counts_public_addresses(cidr: str, addresses: int) -> None:
    """A CIDR covers its addresses less those in special-purpose blocks."""
    assert public(cidr) == addresses


@pytest.mark.parametrize(
    ("internet", "addresses", "reach"),
    [
        pytest.param(IPV4, 0, Reach.NONE, id="none"),
        pytest.param(IPV4, 1, Reach.PUBLIC, id="one"),
        pytest.param(IPV4, 2**16 - 1, Reach.PUBLIC, id="below-wide"),
        pytest.param(IPV4, 2**16, Reach.WIDE, id="wide"),
        pytest.param(IPV4, IPV4.size - 1, Reach.WIDE, id="all-but-one"),
        pytest.param(IPV4, IPV4.size, Reach.WORLD, id="world"),
        pytest.param(IPV6, 2**96 - 1, Reach.PUBLIC, id="ipv6-below-wide"),
        pytest.param(IPV6, 2**96, Reach.WIDE, id="ipv6-wide"),
        pytest.param(IPV6, IPV6.size, Reach.WORLD, id="ipv6-world"),
    ],
)
def test_the_reach_of_a_number_of_addresses(
    internet: Internet, addresses: int, reach: Reach
) -> None:
    """The reach is "wide" from 2^20 IPv4 or 2^96 IPv6 addresses on, and "world" for all."""
    assert internet.reach(addresses) is reach


def test_trusted_ranges_are_not_public() -> None:
    """A trusted range covers no public address, and 0.0.0.0/0 covers all that are left."""
    internets = Internets(["8.0.0.0/8", "8.8.8.0/24", "10.0.0.0/7", "2600::/16"])
    assert public("8.8.8.8/32", internets) == 0
    assert internets[Family.IPV4].size == 3_702_258_432 - 2 * 2**24
    assert public("0.0.0.0/0", internets) == internets[Family.IPV4].size
    assert public("2600:1f00::/24", internets) == 0


def test_everything_may_be_trusted() -> None:
    """With 0.0.0.0/0 trusted the internet has no address, and 0.0.0.0/0 reaches "none"."""
    internets = Internets(["0.0.0.0/0"])
    assert internets[Family.IPV4].size == 0
    assert internets[Family.IPV4].reach(public("0.0.0.0/0", internets)) is Reach.NONE


def test_trusting_private_ranges_changes_nothing() -> None:
    """Trusted ranges outside the public addresses leave their number as it is."""
    internets = Internets(["fc00::/7", "1000::/4"])
    assert internets[Family.IPV6].size == IPV6.size


@pytest.mark.parametrize(
    ("internet", "addresses", "breadth"),
    [
        pytest.param(IPV4, IPV4.size, Breadth.MOST, id="world"),
        pytest.param(IPV4, IPV4.size // 2, Breadth.MOST, id="half"),
        pytest.param(IPV4, IPV4.size // 2 - 1, Breadth.WIDE, id="less-than-half"),
        pytest.param(IPV4, 65_536, Breadth.WIDE, id="slash-16"),
        pytest.param(IPV4, 65_535, Breadth.NARROW, id="less-than-a-slash-16"),
        pytest.param(IPV4, 257, Breadth.NARROW, id="more-than-a-slash-24"),
        pytest.param(IPV4, 256, Breadth.FEW, id="slash-24"),
        pytest.param(IPV6, 2**116, Breadth.MOST, id="ipv6-slash-12"),
        pytest.param(IPV6, 2**116 - 1, Breadth.WIDE, id="less-than-an-ipv6-slash-12"),
        pytest.param(IPV6, 2**96, Breadth.WIDE, id="ipv6-slash-32"),
        pytest.param(IPV6, 2**96 - 1, Breadth.NARROW, id="less-than-an-ipv6-slash-32"),
        pytest.param(IPV6, 2**80, Breadth.FEW, id="ipv6-slash-48"),
    ],
)
def test_breadth(internet: Internet, addresses: int, breadth: Breadth) -> None:
    """The breadth is what the severity depends on: half, a /16, a /24; a /12, a /32, a /48."""
    assert internet.breadth(addresses) is breadth
