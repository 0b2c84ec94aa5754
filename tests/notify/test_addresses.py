"""Where an address leads."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.addresses import Reach, dialled, parse_resolved, reach

IPV4 = st.ip_addresses(v=4)
IPV6 = st.ip_addresses(v=6)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert reach(ip_address(address)) is Reach.PUBLIC


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "::1",
        "fd12:3456::1",
        "fc00::1",
    ],
)
def test_private_shared_and_loopback_addresses_are_inside(address: str) -> None:
    assert reach(ip_address(address)) is Reach.INSIDE


@pytest.mark.parametrize(
    "address",
    [
        "169.254.1.1",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.7",
        "240.0.0.1",
        "192.88.99.1",
        "fe80::1",
        "fec0::1",
        "2001:db8::1",
        "3fff::1",
        "2002:a00:1::1",
        "2002:808:808::1",
        "2001:0:53aa:64c::1",
        "::7f00:1",
        "::ffff:0:7f00:1",
        "64:ff9b:1::a00:1",
        "100::1",
        "2a00::5efe:a00:1",
        "2a00::200:5efe:808:808",
    ],
)
def test_link_local_reserved_and_tunnel_addresses_are_special(address: str) -> None:
    assert reach(ip_address(address)) is Reach.SPECIAL


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fe80::a9fe:a9fe",
    ],
)
def test_metadata_addresses_are_known_in_every_form(address: str) -> None:
    assert reach(ip_address(address)) is Reach.METADATA


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "255.255.255.255", "::", "ff02::1"]
)
def test_unspecified_multicast_and_broadcast_lead_nowhere(address: str) -> None:
    assert reach(ip_address(address)) is Reach.NOWHERE


@given(IPV4 | IPV6)
def test_nothing_that_python_calls_not_global_is_public(address: IPv4Address | IPv6Address) -> None:
    carried = getattr(address, "ipv4_mapped", None)
    if not address.is_global and carried is None:
        assert reach(address) is not Reach.PUBLIC


@given(IPV4)
def test_a_carried_address_leads_where_it_does_alone(address: IPv4Address) -> None:
    mapped = IPv6Address(0xFFFF_0000_0000 | int(address))
    translated = IPv6Address((0x64_FF9B << 96) | int(address))

    assert reach(mapped) is reach(address)
    assert reach(translated) is reach(address)
    assert dialled(mapped) == address


@given(IPV4)
def test_no_tunnel_to_any_address_is_public(address: IPv4Address) -> None:
    six_to_four = IPv6Address((0x2002 << 112) | (int(address) << 80) | 1)
    teredo = IPv6Address((0x2001_0000 << 96) | (int(address) ^ 0xFFFFFFFF))
    compatible = IPv6Address(int(address))

    assert Reach.PUBLIC not in {reach(six_to_four), reach(teredo), reach(compatible)}


@pytest.mark.parametrize("answer", ["fe80::1%eth0", "not an address", "", "127.1", "1.2.3.4 "])
def test_an_answer_that_is_no_plain_address_is_none(answer: str) -> None:
    assert parse_resolved(answer) is None
