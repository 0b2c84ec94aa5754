"""WEBHOOK_ALLOWED_HOSTS: where http and inside addresses are allowed, as `host`, `host:port`, address or network."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network

from notify.addresses import IPNetwork, Reach, reach
from notify.hostname import HostError, IPAddress, canonical_host

_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*):(?P<port>[0-9]{1,5})")


class AllowedHostError(ValueError):
    """An entry of WEBHOOK_ALLOWED_HOSTS that cannot be read."""


@dataclass(frozen=True)
class AllowedHosts:
    """What the operator has listed; a None port stands for every port."""

    names: frozenset[tuple[str, int | None]] = frozenset()
    networks: frozenset[tuple[IPNetwork, int | None]] = frozenset()

    def lists_name(self, host: str | IPAddress, port: int) -> bool:
        return isinstance(host, str) and not self.names.isdisjoint({(host, None), (host, port)})

    def lists_address(self, address: IPAddress, port: int, *, alone: bool = False) -> bool:
        """Whether an entry covers `address`; `alone`: whether one names just that address."""
        return any(
            address in network and only_port in (None, port) and (not alone or network.num_addresses == 1)
            for network, only_port in self.networks
        )

    def permits(self, host: str | IPAddress, port: int, address: IPAddress) -> bool:
        """Whether a connection to `address`, reached by the name `host`, may be made at all."""
        where = reach(address)
        if where is Reach.PUBLIC:
            return True
        if where is Reach.INSIDE and self.lists_name(host, port):
            return True
        if where in (Reach.INSIDE, Reach.SPECIAL):
            return self.lists_address(address, port)
        return where is Reach.METADATA and self.lists_address(address, port, alone=True)

    def permits_http(self, host: str | IPAddress, port: int, address: IPAddress) -> bool:
        """Whether the connection may go without encryption."""
        return self.lists_name(host, port) or self.lists_address(address, port)


def parse_allowed_hosts(entries: Iterable[str]) -> AllowedHosts:
    """Raises AllowedHostError for an entry that is none of host, host:port, address, network."""
    names: set[tuple[str, int | None]] = set()
    networks: set[tuple[IPNetwork, int | None]] = set()
    for entry in entries:
        host, port = _parse(entry.strip())
        if isinstance(host, str):
            names.add((host, port))
        else:
            networks.add((host, port))
    return AllowedHosts(frozenset(names), frozenset(networks))


def _parse(entry: str) -> tuple[str | IPNetwork, int | None]:
    try:
        if "/" in entry:
            return ip_network(entry), None
        if entry.count(":") > 1 and not entry.startswith("["):
            return ip_network(IPv6Address(entry)), None
        match = _PORT.fullmatch(entry)
        host = canonical_host(match["host"] if match else entry)
        port = int(match["port"]) if match else None
    except HostError as error:
        raise AllowedHostError(f"WEBHOOK_ALLOWED_HOSTS: {entry[:80]!r}: {error}") from None
    except ValueError:
        raise AllowedHostError(
            f"WEBHOOK_ALLOWED_HOSTS: {entry[:80]!r} is not a network; write it as 192.168.1.0/24"
        ) from None
    if port is not None and not 1 <= port <= 65535:
        raise AllowedHostError(f"WEBHOOK_ALLOWED_HOSTS: {entry[:80]!r}: a port is 1 to 65535")
    return (host if isinstance(host, str) else ip_network(host)), port
