"""The address guard: where a webhook may go, decided on save and again, by the same function, just before dialling.

URL ──parse_url──▶ one spelling ──resolve──▶ every address judged ──▶ Destination: dial these, look nothing up
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from notify.addresses import dialled, parse_resolved, reach
from notify.allowed_hosts import AllowedHosts
from notify.hostname import HostError, IPAddress, canonical_host, in_url

URL_LIMIT = 2_048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?]*)(?P<target>.*)")
_PORT = re.compile(r"[0-9]{1,5}")
HIDDEN = "…"
"""Stands for everything of a URL that may be secret."""

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Name and port to addresses as text; raises OSError when there are none."""


@dataclass(frozen=True)
class WebhookUrl:
    """A URL in the one spelling that is judged and dialled; nothing parses the original text again."""

    scheme: str
    host: str | IPAddress
    port: int
    target: str
    """Path and query as sent; it may hold the receiver's secret."""

    @property
    def shown(self) -> str:
        """What may be logged and stored: `https://hooks.example.com/…`."""
        return f"{self.scheme}://{self.authority}/{HIDDEN}"

    @property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's own."""
        host = in_url(self.host)
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True)
class Destination:
    """A URL that may be dialled now, at these addresses and no others."""

    url: WebhookUrl
    addresses: tuple[IPAddress, ...]


@dataclass(frozen=True)
class Refused:
    reason: str
    permanent: bool = True
    """False when only the name could not be resolved just now."""


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """What this machine's own resolver says."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


async def check_url(url: str, allowed: AllowedHosts, resolve: Resolver = system_resolver) -> Destination | Refused:
    """Whether `url` may be dialled, and where: every address it resolves to must be allowed, not just one."""
    parsed = parse_url(url)
    if isinstance(parsed, Refused):
        return parsed
    if not isinstance(parsed.host, str):
        return _judge(parsed, (dialled(parsed.host),), allowed)
    try:
        answers = await resolve(parsed.host, parsed.port)
    except (OSError, UnicodeError):
        return Refused(f"the host of {parsed.shown} cannot be resolved", permanent=False)
    addresses = tuple(dict.fromkeys(parse_resolved(answer) for answer in answers))
    if not addresses:
        return Refused(f"the host of {parsed.shown} has no address", permanent=False)
    if None in addresses:
        return Refused(f"the host of {parsed.shown} resolves to an address that cannot be dialled")
    return _judge(parsed, tuple(address for address in addresses if address is not None), allowed)


def parse_url(url: str) -> WebhookUrl | Refused:
    """The part of the judgement that needs no network; stricter than browsers, whose leniency is an attacker's tool."""
    if len(url) > URL_LIMIT:
        return Refused(f"the URL is longer than {URL_LIMIT} characters")
    if re.search(r"[\x00-\x20\x7f-\xa0\\\ud800-\udfff]", url):
        return Refused("the URL holds a space, a control character or a backslash")
    match = _URL.fullmatch(url)
    scheme = match["scheme"].lower() if match else ""
    if match is None or scheme not in _DEFAULT_PORTS:
        return Refused("the URL must start with https://")
    if "#" in url:
        return Refused("the URL has a fragment (#…), which is never sent")
    if "@" in match["authority"]:
        return Refused("the URL holds a user name or password; use a path or query token")
    host_text, port_text = _split_port(match["authority"])
    if port_text is not None and not (_PORT.fullmatch(port_text) and 1 <= int(port_text) <= 65535):
        return Refused("the port of the URL is not a number from 1 to 65535")
    try:
        host = canonical_host(host_text)
    except HostError as error:
        return Refused(str(error))
    port = _DEFAULT_PORTS[scheme] if port_text is None else int(port_text)
    return WebhookUrl(scheme, host, port, _target(match["target"]))


def shown(url: str) -> str:
    """`url` without anything that may be secret, for logs, receipts and the API."""
    parsed = parse_url(url)
    return f"webhook:{HIDDEN}" if isinstance(parsed, Refused) else parsed.shown


def _judge(url: WebhookUrl, addresses: tuple[IPAddress, ...], allowed: AllowedHosts) -> Destination | Refused:
    for address in addresses:
        if not allowed.permits(url.host, url.port, address):
            # The address itself is not repeated: a reason must not be a map of the inside network.
            return Refused(f"{url.shown} leads to {reach(address).value}; list it in WEBHOOK_ALLOWED_HOSTS to allow it")
        if url.scheme == "http" and not allowed.permits_http(url.host, url.port, address):
            return Refused(f"{url.shown} is not encrypted; use https, or list it in WEBHOOK_ALLOWED_HOSTS")
    return Destination(url, addresses)


def _split_port(authority: str) -> tuple[str, str | None]:
    bracket = authority.rfind("]")
    colon = authority.find(":", bracket + 1)
    return (authority, None) if colon < 0 else (authority[:colon], authority[colon + 1 :])


def _target(text: str) -> str:
    path = text if text.startswith("/") else "/" + text
    return quote(path, safe="/?%:@!$&'()*+,;=-._~[]")
