"""Where a request comes from, told by those who may be believed: the peer, and the proxies that an operator trusts.

    client ── 203.0.113.9 ──▶ trusted proxy ── 10.0.0.2 ──▶ the system's own HAProxy ── 127.0.0.1 ──▶ this replica
    X-Forwarded-For:          203.0.113.9                   203.0.113.9, 10.0.0.2

Read from the right: each hop names who came to it, and the first that is not trusted is the client. What stands left
of it may be invented.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

Address = IPv4Address | IPv6Address
_MOST_HOPS = 20


class ClientAddresses:
    """`behind_own_proxy`: the peer on loopback is the system's HAProxy, which names its own peer last."""

    def __init__(self, trusted: Sequence[str], behind_own_proxy: bool) -> None:
        self._networks = tuple(ip_network(written, strict=False) for written in trusted)
        self._behind_own_proxy = behind_own_proxy

    def of(self, scope: Scope) -> tuple[str | None, bool]:
        """The client's address, null where nobody can tell it; and whether a trusted proxy says that it came by TLS."""
        peer = scope.get("client")
        hop = _parsed(peer[0]) if peer else None
        if hop is None:
            return None, False
        own = self._behind_own_proxy and hop.is_loopback
        if not own and not self._is_trusted(hop):
            return str(hop), False
        names = _forwarded(scope)
        if own:
            hop = _parsed(names.pop()) if names else None
            if hop is None or not self._is_trusted(hop):
                return (str(hop) if hop else None), False
        return str(_first_stranger(hop, names, self._is_trusted)), _came_by_tls(scope)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def bucket_of(address: str | None) -> str:
    """Whose limit it counts against: an IPv6 client has a whole /64 to choose addresses from."""
    found = _parsed(address) if address else None
    return str(IPv6Network((int(found), 64), strict=False)) if isinstance(found, IPv6Address) else str(found)


def _first_stranger(hop: Address, names: list[str], is_trusted: Callable[[Address], bool]) -> Address:
    while names and is_trusted(hop):
        further = _parsed(names.pop())
        if further is None:  # not an address: whoever wrote it, the hop before is all that is known
            break
        hop = further
    return hop


def _forwarded(scope: Scope) -> list[str]:
    """Left to right; of several headers the later ones were added later."""
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [part.strip() for part in b",".join(lines).decode("latin-1").split(",")][-_MOST_HOPS:] if lines else []


def _came_by_tls(scope: Scope) -> bool:
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
    return bool(lines) and lines[-1].rpartition(b",")[2].strip().lower() in (b"https", b"wss")


@lru_cache(maxsize=1024)
def _parsed(written: str) -> Address | None:
    """Bare, with a port, or bracketed, as proxies write it; an IPv4 address inside an IPv6 one is that IPv4 address."""
    text = written.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    if len(text) > 45:
        return None
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    inside = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return inside or found
