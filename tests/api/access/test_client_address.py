"""Whence a request comes: X-Forwarded-For counts from those who are trusted, read from the right."""

from typing import Any

import pytest

from deployments.api.access.client_address import ClientAddresses, bucket_of

PROXIES = ("10.0.0.0/8", "192.168.1.7", "2001:db8:1::/48")


def _scope(peer: str | None, *forwarded: str, proto: str | None = None) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    headers += [(b"x-forwarded-proto", proto.encode())] if proto else []
    return {"client": None if peer is None else (peer, 4711), "headers": headers}


def _direct(peer: str | None, *forwarded: str) -> str | None:
    return ClientAddresses(PROXIES, behind_own_proxy=False).of(_scope(peer, *forwarded))[0]


def _behind(*forwarded: str) -> str | None:
    return ClientAddresses(PROXIES, behind_own_proxy=True).of(_scope("127.0.0.1", *forwarded))[0]


def test_without_a_proxy_it_is_the_peer() -> None:
    assert _direct("203.0.113.9") == "203.0.113.9"


@pytest.mark.parametrize("said", ["1.2.3.4", "127.0.0.1", "10.0.0.1", "1.2.3.4, 10.0.0.2", ""])
def test_a_stranger_cannot_say_that_he_is_another(said: str) -> None:
    assert _direct("203.0.113.9", said) == "203.0.113.9"


def test_a_trusted_proxy_says_who_came_to_it() -> None:
    assert _direct("10.1.2.3", "203.0.113.9") == "203.0.113.9"
    assert _direct("2001:db8:1::5", "[2001:db8:2::9]:443") == "2001:db8:2::9"
    assert _direct("10.1.2.3", "203.0.113.9:5555") == "203.0.113.9"


def test_what_the_client_wrote_before_the_proxy_does_not_count() -> None:
    assert _direct("10.1.2.3", "1.2.3.4, 203.0.113.9") == "203.0.113.9"
    assert _direct("10.1.2.3", "1.2.3.4", "203.0.113.9") == "203.0.113.9"
    assert _direct("10.1.2.3", "1.2.3.4, 192.168.1.7, 203.0.113.9") == "203.0.113.9"


def test_it_goes_through_several_trusted_proxies() -> None:
    assert _direct("10.1.2.3", "1.2.3.4, 203.0.113.9, 192.168.1.7, 10.9.9.9") == "203.0.113.9"


def test_where_all_are_trusted_it_is_the_farthest() -> None:
    assert _direct("10.1.2.3", "10.0.0.5, 10.0.0.6") == "10.0.0.5"


@pytest.mark.parametrize(
    "said", ["unknown", "", ",", "_hidden", "1.2.3", "' OR 1=1", "9" * 5000, "\xff", "::1%eth0x" * 9]
)
def test_what_is_no_address_ends_the_trail(said: str) -> None:
    assert _direct("10.1.2.3", said) == "10.1.2.3"


def test_a_long_trail_is_not_followed_for_ever() -> None:
    assert _direct("10.1.2.3", ", ".join(["10.0.0.1"] * 10_000)) == "10.0.0.1"


def test_behind_the_systems_own_proxy_the_last_entry_is_its_peer() -> None:
    assert _behind("203.0.113.9") == "203.0.113.9"
    assert _behind("1.2.3.4", "203.0.113.9") == "203.0.113.9"
    assert _behind("1.2.3.4, 5.6.7.8", "203.0.113.9") == "203.0.113.9"
    assert _behind("203.0.113.9", "10.1.2.3") == "203.0.113.9"
    assert _behind("1.2.3.4, 203.0.113.9", "10.1.2.3") == "203.0.113.9"


def test_behind_it_nobody_is_known_who_is_not_named() -> None:
    assert _behind() is None


def test_a_peer_elsewhere_is_not_the_own_proxy() -> None:
    own = ClientAddresses((), behind_own_proxy=True)
    assert own.of(_scope("203.0.113.9", "1.2.3.4"))[0] == "203.0.113.9"


def test_only_a_trusted_proxy_says_https() -> None:
    addresses = ClientAddresses(PROXIES, behind_own_proxy=True)
    assert addresses.of(_scope("127.0.0.1", "203.0.113.9", "10.1.2.3", proto="https"))[1]
    assert addresses.of(_scope("10.1.2.3", "203.0.113.9", proto="HTTPS"))[1]
    assert not addresses.of(_scope("10.1.2.3", "203.0.113.9", proto="https, http"))[1]
    assert not addresses.of(_scope("127.0.0.1", "203.0.113.9", proto="https"))[1]
    assert not addresses.of(_scope("203.0.113.9", proto="https"))[1]


def test_an_ipv4_address_in_an_ipv6_one_is_that_address() -> None:
    assert _direct("::ffff:10.1.2.3", "203.0.113.9") == "203.0.113.9"
    assert _direct("10.1.2.3", "::ffff:203.0.113.9") == "203.0.113.9"


def test_no_peer_no_address() -> None:
    assert _direct(None, "1.2.3.4") is None
    assert _direct("testclient", "1.2.3.4") is None


def test_an_ipv6_client_is_counted_by_its_network() -> None:
    assert bucket_of("2001:db8::1") == bucket_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert bucket_of("203.0.113.9") == "203.0.113.9"
    assert bucket_of(None) == "None"
