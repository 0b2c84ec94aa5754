"""Host names in one spelling: lower-case ASCII, so that what was checked is what is dialled."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

IPAddress = IPv4Address | IPv6Address

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# What C libraries read as an address of fewer parts, or in octal or hexadecimal: no top-level domain is a number.
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")


class HostError(ValueError):
    """The text is no host; the message says why and repeats nothing of it."""


def canonical_host(text: str) -> str | IPAddress:
    """A name in lower-case ASCII without its trailing dot, or an address; raises HostError.

    An address is taken in its usual spelling only. `0x7f.1`, `2130706433`, `127.1` and `0177.0.0.1` are all
    127.0.0.1 to some resolver and a name to another, so they are refused, whatever alphabet they are written in.
    """
    if text.startswith("["):
        return _ipv6(text)
    name = _ascii(text).removesuffix(".")
    labels = name.split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        return _ipv4(name)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise HostError("the host is not a valid name")
    return name


def _ascii(text: str) -> str:
    if not text:
        raise HostError("there is no host")
    if text.isascii() and "xn--" not in text.lower():
        return text.lower()
    try:
        # UTS 46 maps full-width digits and ideographic full stops too; the result is judged like any other.
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        raise HostError("the host is not a valid international name") from None


def _ipv4(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError:
        raise HostError("write an IPv4 address as four decimal numbers") from None


def _ipv6(text: str) -> IPv6Address:
    inside = text[1:-1]
    if not text.endswith("]") or "%" in inside:
        raise HostError("the host is not a valid IPv6 address (zones are not taken)")
    try:
        return IPv6Address(inside)
    except AddressValueError:
        raise HostError("the host is not a valid IPv6 address") from None


def in_url(host: str | IPAddress) -> str:
    """`host` as it stands in a URL and in the Host header: IPv6 in brackets."""
    return f"[{host}]" if isinstance(host, IPv6Address) else str(host)
