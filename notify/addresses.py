"""Which addresses a webhook may reach: the public internet, and what is listed; from the IANA special registries."""

from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from notify.hostname import IPAddress

IPNetwork = IPv4Network | IPv6Network


class Reach(Enum):
    """Where an address leads, and with it what it takes to allow it."""

    PUBLIC = "a public address"
    INSIDE = "a private or loopback address"
    """Allowed for a host listed by name, or when the address is listed."""
    SPECIAL = "a link-local or reserved address"
    """Allowed only when the address itself, or a network around it, is listed."""
    METADATA = "a cloud metadata address"
    """Allowed only when listed alone: it hands out the machine's credentials."""
    NOWHERE = "an unspecified, multicast or broadcast address"
    """Never allowed; 0.0.0.0 is the machine itself on Linux."""


def _table(*rows: tuple[Reach, str]) -> tuple[tuple[Reach, tuple[IPNetwork, ...]], ...]:
    return tuple((reach, tuple(ip_network(text) for text in texts.split())) for reach, texts in rows)


# The first match decides.
_NETWORKS = _table(
    # AWS, Azure, GCP, DigitalOcean, OpenStack; ECS; EKS; Alibaba; Oracle; Azure's wire server; then IPv6.
    (
        Reach.METADATA,
        "169.254.169.254 169.254.170.2 169.254.170.23 100.100.100.200 192.0.0.192 168.63.129.16 "
        "fd00:ec2::254 fd00:ec2::23 fd00:c1::a9fe:a9fe fd20:ce::254 fe80::a9fe:a9fe",
    ),
    (Reach.NOWHERE, "0.0.0.0/8 224.0.0.0/4 255.255.255.255 ::/128 ff00::/8"),
    (Reach.INSIDE, "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7"),
    (
        Reach.SPECIAL,
        "169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.175.48.0/24 "
        "198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 "
        # 2001::/23 holds Teredo, 2002::/16 is 6to4: both carry an IPv4 address that nobody has checked.
        "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20",
    ),
    (Reach.PUBLIC, "0.0.0.0/0 2000::/3"),
    # What is left of IPv6 is not handed out: compatible and translated IPv4, local NAT64, link- and site-local.
    (Reach.SPECIAL, "::/0"),
)
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)


def reach(address: IPAddress) -> Reach:
    """Where `address` leads; an IPv6 address that carries an IPv4 one leads where that does."""
    carried = _carried(address)
    if carried is not None:
        return reach(carried)
    if isinstance(address, IPv6Address) and (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return Reach.SPECIAL
    return next(kind for kind, networks in _NETWORKS if any(address in network for network in networks))


def dialled(address: IPAddress) -> IPAddress:
    """`::ffff:a.b.c.d` as the IPv4 address that the kernel would dial; anything else unchanged."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def parse_resolved(text: str) -> IPAddress | None:
    """An address as a resolver answers it; None when it is none, or bound to one interface by a zone."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return None
    return dialled(address)


def _carried(address: IPAddress) -> IPv4Address | None:
    if not isinstance(address, IPv6Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
