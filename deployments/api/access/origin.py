"""Which pages may use the API from a browser, and by which names it may be asked."""

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Origins:
    """A page is ours when it was served under the name that it asks, or when an operator listed it."""

    def __init__(self, listed: Sequence[str], trust_this_machine: bool) -> None:
        """`trust_this_machine`: pages of other ports on loopback too, while no key is asked for."""
        self.listed = frozenset(listed)
        self._trust_this_machine = trust_this_machine

    def is_ours(self, headers: Headers) -> bool:
        """Whether the asking page is; a program that is no browser says no origin, and is no page.

        A proxy that changes Host says the asked name in X-Forwarded-Host, which no page can set.
        """
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if site == "same-origin":  # said by the browser itself, whatever a proxy made of Host
            return True
        return site in (None, "none") if origin is None else self._is_ours(origin.lower(), headers)

    def is_proved(self, headers: Headers) -> bool:
        """As `is_ours`, but somebody must have said so: a cookie comes along whatever page asks."""
        said = headers.get("origin") is not None or headers.get("sec-fetch-site") == "same-origin"
        return said and self.is_ours(headers)

    def _is_ours(self, origin: str, headers: Headers) -> bool:
        if origin in self.listed:
            return True
        page, ours = _split(origin), [headers.get(name, "").lower() for name in ("host", "x-forwarded-host")]
        if page is None:
            return False
        if page[0] in ours:
            return True
        asked = _split(f"//{ours[0]}")
        return self._trust_this_machine and page[1] in LOOPBACK and asked is not None and asked[1] in LOOPBACK


class Hosts:
    """The names in Host that are ours: a page whose own name was made to lead here (DNS rebinding) has another.

    Any address is: nobody can make an address lead elsewhere.
    """

    def __init__(self, settings: Settings) -> None:
        listed = settings.allowed_hosts
        self._names = frozenset(
            ("localhost", settings.api_host.lower(), *(name.rstrip(".") for name in listed if name[0] != "*"))
        )
        self._endings = tuple(name[1:].rstrip(".") for name in listed if name[0] == "*")
        self._known: dict[str, bool] = {}

    def is_ours(self, headers: Headers) -> bool:
        named = headers.getlist("host")
        if len(named) != 1:
            return False
        if named[0] not in self._known:
            if len(self._known) >= 256:
                self._known.clear()
            self._known[named[0]] = self._is_ours(named[0].lower())
        return self._known[named[0]]

    def _is_ours(self, written: str) -> bool:
        split = _split(f"//{written}")
        if split is None or split[0] != written:
            return False
        name = split[1].rstrip(".")
        return name in self._names or name.endswith(self._endings) or _is_address(name)


def _split(address: str) -> tuple[str, str] | None:
    """Host with port, and host; None for what is no address."""
    try:
        split = urlsplit(address)
        _ = split.port
    except ValueError:
        return None
    return (split.netloc, split.hostname) if split.hostname and "@" not in split.netloc else None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
