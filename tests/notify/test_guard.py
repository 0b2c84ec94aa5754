"""What the guard lets through, what it refuses, and what it says."""

import socket
from collections.abc import Sequence

import pytest

from notify.allowed_hosts import AllowedHosts, parse_allowed_hosts
from notify.guard import Destination, Refused, Resolver, WebhookUrl, check_url, parse_url, shown

NOTHING = AllowedHosts()


def resolving(*addresses: str) -> Resolver:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


async def failing(host: str, port: int) -> Sequence[str]:
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


PUBLIC = resolving("93.184.216.34")


async def test_https_to_a_public_address_may_be_dialled_there() -> None:
    checked = await check_url("https://Hooks.Example.com./a/b?c=d", NOTHING, PUBLIC)

    assert isinstance(checked, Destination)
    assert [str(address) for address in checked.addresses] == ["93.184.216.34"]
    assert checked.url == WebhookUrl("https", "hooks.example.com", 443, "/a/b?c=d")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "https"),
        ("example.com", "https"),
        ("ftp://example.com/", "https"),
        ("file:///etc/passwd", "https"),
        ("gopher://example.com/", "https"),
        ("javascript:alert(1)", "https"),
        ("https:example.com", "https"),
        ("https:///example.com", "no host"),
        ("https://", "no host"),
        ("https://user:secret@example.com/", "password"),
        ("https://example.com@evil.example/", "password"),
        ("https://@example.com/", "password"),
        ("https://example.com/#part", "fragment"),
        ("https://example.com#@evil.example/", "fragment"),
        ("https://example.com:0/", "port"),
        ("https://example.com:65536/", "port"),
        ("https://example.com:/", "port"),
        ("https://example.com:443:443/", "port"),
        ("https://example.com:+443/", "port"),
        ("https://example.com:\uff14\uff14\uff13/", "port"),
        ("https://exa mple.com/", "space"),
        ("https://example.com/\r\nHost: evil", "control"),
        ("https://example.com\\@evil.example/", "backslash"),
        (" https://example.com/", "space"),
        ("https://example.com/\x00", "control"),
        ("https://exam%70le.com/", "valid name"),
        ("https://example..com/", "valid name"),
        ("https://example.com../", "valid name"),
        ("https://-example.com/", "valid name"),
        ("https://" + "a" * 64 + ".com/", "valid name"),
        ("https://" + "a." * 130 + "com/", "valid name"),
        ("https://xn--a.example/", "international"),
        ("https://[::1", "port"),
        ("https://[::1%25eth0]/", "IPv6"),
        ("https://[fe80::1%eth0]/", "IPv6"),
        ("https://[]/", "IPv6"),
        ("https://[127.0.0.1]/", "IPv6"),
        ("https://[v1.x]/", "IPv6"),
        ("https://example.com/" + "x" * 2048, "longer"),
    ],
)
async def test_a_url_that_is_not_plainly_one_place_is_refused_for_good(url: str, reason: str) -> None:
    refused = await check_url(url, NOTHING, PUBLIC)

    assert isinstance(refused, Refused)
    assert refused.permanent
    assert reason in refused.reason


async def test_an_international_name_is_dialled_in_its_ascii_form() -> None:
    checked = await check_url("https://bücher.example/", NOTHING, PUBLIC)

    assert isinstance(checked, Destination)
    assert checked.url.host == "xn--bcher-kva.example"


async def test_letters_outside_ascii_in_the_path_are_percent_encoded_and_the_rest_is_left() -> None:
    checked = await check_url("https://example.com/ü/a%2Fb?x=1&y=[2]", NOTHING, PUBLIC)

    assert isinstance(checked, Destination)
    assert checked.url.target == "/%C3%BC/a%2Fb?x=1&y=[2]"


async def test_a_query_without_a_path_gets_one() -> None:
    checked = await check_url("https://example.com?x=1", NOTHING, PUBLIC)

    assert isinstance(checked, Destination)
    assert checked.url.target == "/?x=1"


async def test_http_is_refused_unless_the_host_is_listed() -> None:
    refused = await check_url("http://example.com/", NOTHING, PUBLIC)
    listed = await check_url("http://example.com/", parse_allowed_hosts(["example.com"]), PUBLIC)

    assert isinstance(refused, Refused)
    assert "not encrypted" in refused.reason
    assert isinstance(listed, Destination)


async def test_http_to_a_name_is_allowed_when_all_its_addresses_are_listed() -> None:
    allowed = parse_allowed_hosts(["192.168.0.0/16"])

    assert isinstance(await check_url("http://nas.lan/", allowed, resolving("192.168.1.2")), Destination)
    mixed = await check_url("http://nas.lan/", allowed, resolving("192.168.1.2", "93.184.216.34"))
    assert isinstance(mixed, Refused)


@pytest.mark.parametrize("bad", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1"])
async def test_one_bad_address_among_good_ones_is_enough(bad: str) -> None:
    for answers in ((bad, "93.184.216.34"), ("93.184.216.34", bad)):
        refused = await check_url("https://example.com/", NOTHING, resolving(*answers))

        assert isinstance(refused, Refused)
        assert refused.permanent


async def test_an_answer_bound_to_an_interface_is_refused() -> None:
    refused = await check_url("https://example.com/", NOTHING, resolving("fe80::1%eth0", "93.184.216.34"))

    assert isinstance(refused, Refused)


@pytest.mark.parametrize("resolve", [failing, resolving()])
async def test_a_name_that_cannot_be_resolved_fails_closed_and_may_be_tried_again(resolve: Resolver) -> None:
    refused = await check_url("https://example.com/", NOTHING, resolve)

    assert isinstance(refused, Refused)
    assert not refused.permanent


async def test_a_name_that_cannot_be_encoded_for_dns_fails_closed() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise UnicodeError("label empty or too long")

    assert isinstance(await check_url("https://example.com/", NOTHING, resolve), Refused)


async def test_localhost_is_refused_by_the_machines_own_resolver() -> None:
    refused = await check_url("https://localhost/", NOTHING)

    assert isinstance(refused, Refused)
    assert "private or loopback" in refused.reason


async def test_localhost_is_allowed_when_listed() -> None:
    checked = await check_url("http://localhost:8080/", parse_allowed_hosts(["localhost:8080"]))

    assert isinstance(checked, Destination)


async def test_a_mapped_address_is_dialled_as_the_ipv4_address_that_was_judged() -> None:
    checked = await check_url("https://[::ffff:8.8.8.8]/", NOTHING)

    assert isinstance(checked, Destination)
    assert [str(address) for address in checked.addresses] == ["8.8.8.8"]


async def test_a_refusal_shows_neither_path_nor_query_nor_the_inside_address() -> None:
    refused = await check_url("https://example.com/T0K3N?key=S3CR3T", NOTHING, resolving("10.9.8.7"))

    assert isinstance(refused, Refused)
    assert refused.reason == (
        "https://example.com/… leads to a private or loopback address; list it in WEBHOOK_ALLOWED_HOSTS to allow it"
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.example.com/T0K3N", "https://hooks.example.com/…"),
        ("https://hooks.example.com:8443/T0K3N", "https://hooks.example.com:8443/…"),
        ("http://[2001:db8::1]:80/T0K3N", "http://[2001:db8::1]/…"),
        ("https://user:secret@example.com/", "webhook:…"),
        ("T0K3N", "webhook:…"),
    ],
)
def test_a_shown_url_keeps_its_secrets(url: str, expected: str) -> None:
    assert shown(url) == expected


def test_what_is_shown_of_a_url_is_itself_no_url_of_a_receiver() -> None:
    parsed = parse_url("https://hooks.example.com/T0K3N")

    assert isinstance(parsed, WebhookUrl)
    assert "T0K3N" not in parsed.shown
