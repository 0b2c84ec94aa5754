"""Asks one address again and again over connections that stay open, with as little of its own work as possible."""

import asyncio
from dataclasses import dataclass, field

from bench.figures import percentile
from bench.running import SystemFailed
from domain.clock import SystemClock

_ANSWER_SECONDS = 30.0


@dataclass
class Answers:
    """How long each answer took, in seconds."""

    seconds: list[float] = field(default_factory=list)
    over: float = 0.0
    """Within how many seconds they came."""

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.over

    def ms(self, percent: float) -> float:
        return percentile(self.seconds, percent) * 1000

    def add(self, other: "Answers") -> None:
        self.seconds += other.seconds
        self.over += other.over

    def figures(self) -> dict[str, float]:
        return {
            "answers": len(self.seconds),
            "requests_a_second": self.rate,
            **{f"p{percent}_ms": self.ms(percent) for percent in (50, 95, 99)},
        }


class Line:
    """One HTTP/1.1 connection; every answer but a 200 raises SystemFailed."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._path = path
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\n\r\n".encode()

    async def open(self) -> "Line":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        return self

    def close(self) -> None:
        self._writer.close()

    async def ask(self) -> int:
        """The bytes of the body."""
        self._writer.write(self._request)
        async with asyncio.timeout(_ANSWER_SECONDS):
            head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
            if not head.startswith(b"http/1.1 200"):
                raise SystemFailed(f"{self._path}: {head.partition(bytes(2))[0][:200].decode(errors='replace')}")
            _, found, rest = head.partition(b"content-length:")
            if not found:
                raise SystemFailed(f"{self._path}: an answer without its length")
            return len(await self._reader.readexactly(int(rest.partition(b"\r\n")[0])))


async def as_fast_as_possible(port: int, path: str, connections: int, seconds: float) -> Answers:
    """Every connection asks as soon as it has its answer."""
    clock = SystemClock()
    lines = [await Line(port, path).open() for _ in range(connections)]
    answers = Answers()
    began = clock.monotonic()

    async def ask(line: Line) -> None:
        while (sent := clock.monotonic()) < began + seconds:
            await line.ask()
            answers.seconds.append(clock.monotonic() - sent)

    try:
        await asyncio.gather(*(ask(line) for line in lines))
    finally:
        answers.over = clock.monotonic() - began
        for line in lines:
            line.close()
    return answers


async def at_a_steady_rate(
    port: int, path: str, every_seconds: float, until: asyncio.Event
) -> list[tuple[float, float]]:
    """Asks at fixed moments, whether the answer before has come or not: a server that stands still is not spared.

    Each moment at which it was to be asked, and how long from there on the answer took.
    """
    clock = SystemClock()
    line = await Line(port, path).open()
    found: list[tuple[float, float]] = []
    moment = clock.monotonic()
    try:
        while not until.is_set():
            await line.ask()
            found.append((moment, clock.monotonic() - moment))
            moment += every_seconds
            await asyncio.sleep(max(0.0, moment - clock.monotonic()))
    finally:
        line.close()
    return found
