"""WEBHOOK_ALLOWED_HOSTS, entry by entry."""

from ipaddress import ip_address

import pytest

from notify.allowed_hosts import AllowedHostError, AllowedHosts, parse_allowed_hosts


def permits(entry: str, host: str, address: str, port: int = 443) -> bool:
    return parse_allowed_hosts([entry]).permits(host, port, ip_address(address))


def test_nothing_listed_allows_only_public_addresses() -> None:
    assert AllowedHosts().permits("x.example", 443, ip_address("8.8.8.8"))
    assert not AllowedHosts().permits("x.example", 443, ip_address("10.0.0.1"))


def test_a_name_allows_inside_addresses_for_that_name_only() -> None:
    assert permits("NAS.local.", "nas.local", "192.168.1.9")
    assert not permits("nas.local", "evil.nas.local", "192.168.1.9")
    assert not permits("nas.local", "nas.local.evil", "192.168.1.9")


def test_a_name_does_not_open_link_local_reserved_or_metadata_addresses() -> None:
    for address in ("169.254.3.4", "240.0.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.0", "fe80::1"):
        assert not permits("nas.local", "nas.local", address)


def test_a_name_with_a_port_allows_that_port_only() -> None:
    assert permits("nas.local:8080", "nas.local", "10.0.0.1", 8080)
    assert not permits("nas.local:8080", "nas.local", "10.0.0.1", 8081)


def test_an_address_with_a_port_allows_that_port_only() -> None:
    assert permits("10.0.0.1:8080", "any.example", "10.0.0.1", 8080)
    assert not permits("10.0.0.1:8080", "any.example", "10.0.0.1", 22)
    assert permits("[::1]:8080", "any.example", "::1", 8080)
    assert not permits("[::1]:8080", "any.example", "::1", 22)


def test_a_network_allows_the_addresses_in_it() -> None:
    assert permits("192.168.0.0/16", "any.example", "192.168.7.7")
    assert not permits("192.168.0.0/16", "any.example", "10.0.0.1")
    assert permits("fd00::/8", "any.example", "fd12::1")
    assert permits("169.254.0.0/16", "any.example", "169.254.3.4")


def test_metadata_needs_an_entry_of_its_own() -> None:
    assert not permits("169.254.0.0/16", "any.example", "169.254.169.254")
    assert not permits("0.0.0.0/0", "any.example", "169.254.169.254")
    assert permits("169.254.169.254", "any.example", "169.254.169.254")


def test_no_entry_allows_the_unspecified_address_or_multicast() -> None:
    for entry in ("0.0.0.0/0", "0.0.0.0", "224.0.0.0/4", "x.example"):
        assert not permits(entry, "x.example", "0.0.0.0")
        assert not permits(entry, "x.example", "224.0.0.1")


@pytest.mark.parametrize("entry", ["::1", "[::1]", "::1/128"])
def test_ipv6_is_taken_with_and_without_brackets(entry: str) -> None:
    assert permits(entry, "any.example", "::1")


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "192.168.1.5/24",
        "10.0.0.0/33",
        "https://nas.local",
        "nas.local/path",
        "nas.local:0",
        "nas.local:99999",
        "a b",
        "127.1",
        "0x7f000001",
        "*.example.com",
        "nas..local",
        "user@nas.local",
        "nas.local:",
        "[::1",
    ],
)
def test_an_entry_that_cannot_be_read_is_named(entry: str) -> None:
    with pytest.raises(AllowedHostError, match="WEBHOOK_ALLOWED_HOSTS"):
        parse_allowed_hosts([entry])
