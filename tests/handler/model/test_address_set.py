"""Sets of public addresses in a form of bounded size."""

import pytest

from handler.model.address_set import AddressSet, address_set, positions_of
from handler.model.internet import Internets

ALL_BUT_PRIVATE = (  # noqa: SIM905 -- shorter
    "0.0.0.0/5 8.0.0.0/7 11.0.0.0/8 12.0.0.0/6 16.0.0.0/4 32.0.0.0/3 64.0.0.0/2 128.0.0.0/3 "
    "160.0.0.0/5 168.0.0.0/6 172.0.0.0/12 172.32.0.0/11 172.64.0.0/10 172.128.0.0/9 173.0.0.0/8 "
    "174.0.0.0/7 176.0.0.0/4 192.0.0.0/9 192.128.0.0/11 192.160.0.0/13 192.169.0.0/16 "
    "192.170.0.0/15 192.172.0.0/14 192.176.0.0/12 192.192.0.0/10 193.0.0.0/8 194.0.0.0/7 "
    "196.0.0.0/6 200.0.0.0/5 208.0.0.0/4 224.0.0.0/3"
).split()


def of(*cidrs: str) -> AddressSet:
    """The set of the CIDRs, all of one family."""
    internets = Internets()
    located = [internets.locate(cidr) for cidr in cidrs]
    return address_set(internets[located[0][0]], sorted(interval for _, interval in located))


@pytest.mark.parametrize(
    ("cidrs", "merged"),
    [
        pytest.param(["0.0.0.0/0"], ["0.0.0.0/0"], id="world"),
        pytest.param(["0.0.0.0/1", "128.0.0.0/1"], ["0.0.0.0/0"], id="halves"),
        pytest.param(ALL_BUT_PRIVATE, ["0.0.0.0/0"], id="all-but-private"),
        pytest.param(["2000::/3"], ["::/0"], id="ipv6-world"),
        pytest.param(["128.0.0.0/1"], ["128.0.0.0/1"], id="not-routed-at-an-end"),
        pytest.param(["8.0.0.0/7"], ["8.0.0.0/7"], id="beside-what-is-not-routed"),
        pytest.param(["9.9.9.9/32", "8.8.8.8/32"], ["8.8.8.8/32", "9.9.9.9/32"], id="two"),
        pytest.param(["9.9.9.8/32", "9.9.9.9/32", "9.9.9.9/32"], ["9.9.9.8/31"], id="neighbours"),
    ],
)
def test_a_set_of_few_cidrs_names_them(cidrs: list[str], merged: list[str]) -> None:
    """CIDRs are merged over what is not routed, and in order."""
    assert of(*cidrs).cidrs == tuple(merged)


def test_a_set_of_many_cidrs_is_a_hash_and_a_count() -> None:
    """The hash is the same for the same addresses, however they are written."""
    many = [f"9.9.{number}.0/24" for number in range(0, 18, 2)]
    halves = [f"9.9.{number}.{low}/25" for number in range(0, 18, 2) for low in (0, 128)]
    assert (of(*many).cidrs, of(*many).size) == ((), 9 * 256)
    assert of(*many) == of(*halves)
    assert of(*many).digest != of(*many[:-1], "9.9.18.0/24").digest


def test_positions_leave_out_what_is_trusted() -> None:
    """A trusted part of a set is nothing, and the rest stays."""
    internets = Internets(["8.8.8.0/24"])
    internet = internets[internets.locate("8.8.8.0/23")[0]]
    assert positions_of(of("8.8.8.0/24"), internet) == []
    assert positions_of(of("8.8.8.0/23"), internet) == positions_of(of("8.8.9.0/24"), internet)
