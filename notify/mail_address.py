"""E-mail addresses, strictly: one mailbox, fit for a header and for an SMTP command line."""

import re

from notify.hostname import HostError, canonical_host
from notify.text import plain

_ATOM = r"[^\s()<>\[\],;:\\\"@.]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")


def canonical_address(text: str) -> str | None:
    """`name@domain` with the domain in lower-case ASCII; None when it is not exactly one address."""
    local, at, domain = text.strip(" ").rpartition("@")
    if not at or len(local) > 64 or plain(local) != local or not _LOCAL.fullmatch(local):
        return None
    try:
        host = canonical_host(domain)
    except HostError:
        return None
    return f"{local}@{host}" if isinstance(host, str) and len(local) + len(host) < 254 else None
