"""A network backend that dials the addresses that were checked, whatever the name may resolve to by now."""

from collections.abc import Iterable, Sequence

import httpcore

from notify.hostname import IPAddress

_SECONDS_AN_ADDRESS = 3.0
"""Where there are several, so that a dead one leaves time for the next."""


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """For one request, which keeps the name: the Host header, SNI and the certificate check still go by it."""

    def __init__(self, addresses: Sequence[IPAddress]) -> None:
        self._addresses = tuple(addresses)
        self._network = httpcore.AnyIOBackend()
        self._opened: list[httpcore.AsyncNetworkStream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """The first checked address that takes the connection; `host` is deliberately not used."""
        failure: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError("no address to dial")
        if len(self._addresses) > 1:
            timeout = _SECONDS_AN_ADDRESS
        for address in self._addresses:
            try:
                stream = await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                self._opened.append(stream)
                return stream
        raise failure

    async def aclose(self) -> None:
        """Close what was opened: a TLS handshake that is cancelled leaves its socket to nobody."""
        while self._opened:
            await self._opened.pop().aclose()
