"""Every spelling of an inside address is refused, whatever the resolver makes of it."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from notify.allowed_hosts import AllowedHosts
from notify.guard import Destination, Refused, check_url

INSIDE_NETWORKS = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
)
INSIDE = st.sampled_from(INSIDE_NETWORKS).flatmap(lambda network: st.ip_addresses(network=network)) | st.sampled_from(
    [IPv4Address("169.254.169.254"), IPv4Address("100.100.100.200"), IPv4Address("127.0.0.1"), IPv4Address("0.0.0.0")]
)
FULL_WIDTH = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in "0123456789abcdefx"} | {".": "\u3002"})
CIRCLED = str.maketrans("123456789", "①②③④⑤⑥⑦⑧⑨")


async def lenient(host: str, port: int) -> Sequence[str]:
    """The worst resolver there is: reads every spelling that inet_aton reads, and calls the rest public."""
    try:
        return [socket.inet_ntoa(socket.inet_aton(host))]
    except OSError:
        return ["93.184.216.34"]


@st.composite
def ipv4_spellings(draw: st.DrawFn) -> str:
    """One to four parts, each decimal, octal or hexadecimal, as inet_aton reads them; in any alphabet."""
    number = int(draw(INSIDE))
    parts = draw(st.integers(min_value=1, max_value=4))
    values = [number >> shift & 0xFF for shift in (24, 16, 8)[: parts - 1]]
    values.append(number & (1 << 8 * (5 - parts)) - 1)
    forms = [
        draw(st.sampled_from([str(value), f"0{value:o}", f"0x{value:x}", f"0X{value:X}", f"0x{value:08x}"]))
        for value in values
    ]
    text = ".".join(forms) + draw(st.sampled_from(["", "."]))
    alphabet = draw(st.sampled_from(["plain", "full width", "circled", "percent"]))
    if alphabet == "full width":
        return text.lower().translate(FULL_WIDTH)
    if alphabet == "circled":
        return text.translate(CIRCLED)
    return "".join(f"%{ord(c):02x}" for c in text) if alphabet == "percent" else text


@st.composite
def ipv6_spellings(draw: st.DrawFn) -> str:
    """IPv6 addresses that carry an inside IPv4 one, or are inside themselves; compressed, exploded, upper case."""
    inside = int(draw(INSIDE))
    address = IPv6Address(
        draw(
            st.sampled_from(
                [
                    0xFFFF_0000_0000 | inside,
                    inside,
                    (0x64_FF9B << 96) | inside,
                    (0x64_FF9B_0001 << 80) | inside,
                    (0x2002 << 112) | (inside << 80) | 1,
                    (0x2001_0000 << 96) | (inside ^ 0xFFFFFFFF),
                    (0x2A00 << 112) | (0x5EFE << 32) | inside,
                    0xFFFF_0000_0000_0000 | inside,
                    (0xFD << 120) | inside,
                    (0xFE80 << 112) | inside,
                    (0xFF02 << 112) | inside,
                    1,
                    0,
                ]
            )
        )
    )
    dotted = IPv4Address(int(address) & 0xFFFFFFFF)
    text = draw(
        st.sampled_from(
            [str(address), address.exploded, f"{IPv6Address(int(address) & ~0xFFFFFFFF).exploded[:30]}{dotted}"]
        )
    )
    return f"[{draw(st.sampled_from([text, text.upper()]))}]"


@given(
    host=ipv4_spellings() | ipv6_spellings(),
    scheme=st.sampled_from(["https", "HTTPS"]),
    port=st.sampled_from(["", ":443", ":8080", ":22"]),
    tail=st.sampled_from(["", "/", "/hook?x=1", "?x=1"]),
)
async def test_no_spelling_of_an_inside_address_passes(host: str, scheme: str, port: str, tail: str) -> None:
    checked = await check_url(f"{scheme}://{host}{port}{tail}", AllowedHosts(), lenient)

    assert isinstance(checked, Refused)
    assert checked.permanent


@given(INSIDE | st.ip_addresses(network="fc00::/7") | st.ip_addresses(network="fe80::/10"))
async def test_no_name_that_resolves_inside_passes(address: IPv4Address | IPv6Address) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34", str(address)]

    assert isinstance(await check_url("https://example.com/", AllowedHosts(), resolve), Refused)


@given(st.ip_addresses(network="8.0.0.0/8") | st.ip_addresses(network="2606:4700::/32"))
async def test_public_addresses_in_their_usual_spelling_pass(address: IPv4Address | IPv6Address) -> None:
    host = f"[{address}]" if isinstance(address, IPv6Address) else str(address)

    assert isinstance(await check_url(f"https://{host}/", AllowedHosts(), lenient), Destination)


@given(st.text(max_size=60))
async def test_no_text_at_all_makes_the_guard_raise(text: str) -> None:
    for url in (
        text,
        f"https://{text}",
        f"https://{text}/",
        f"https://example.com:{text}/",
        f"https://example.com/{text}",
    ):
        assert isinstance(await check_url(url, AllowedHosts(), lenient), Destination | Refused)
