"""What was checked is what is dialled: rebinding, pinning, and TLS that still goes by the name."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import pytest

from notify.allowed_hosts import AllowedHosts, parse_allowed_hosts
from notify.guard import Destination, check_url
from notify.outcome import Delivered, Failed
from notify.webhook import WebhookChannel
from tests.notify.certificates import Authority
from tests.notify.http_sink import HttpSink, answer
from tests.notify.messages import alert

PUBLIC = "93.184.216.34"


class ScriptedResolver:
    """Answers each question with the next list, and the last one for ever; counts the questions."""

    def __init__(self, *answers: list[str] | OSError) -> None:
        self._answers = answers
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        found = self._answers[min(len(self.asked), len(self._answers)) - 1]
        if isinstance(found, OSError):
            raise found
        return found


async def send(hook: WebhookChannel) -> Delivered | Failed:
    async with asyncio.timeout(30):
        return await hook.send(hook.recipient, alert())


@pytest.mark.parametrize("second", [["127.0.0.1"], ["169.254.169.254"], [PUBLIC, "127.0.0.1"], ["::ffff:127.0.0.1"]])
async def test_a_name_that_turns_inside_after_it_was_saved_is_refused_when_dialled(second: list[str]) -> None:
    async with HttpSink(answer(200)) as sink:
        resolve = ScriptedResolver([PUBLIC], second)
        url = f"https://rebind.example:{sink.port}/"

        saved = await check_url(url, AllowedHosts(), resolve)
        outcome = await send(WebhookChannel(url, AllowedHosts(), resolve=resolve))

        assert isinstance(saved, Destination)
        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert sink.connections == 0


async def test_the_name_is_resolved_once_and_the_checked_address_is_dialled() -> None:
    async with HttpSink(answer(200)) as sink:
        # No resolver of this machine knows the name, so a second look-up would fail.
        resolve = ScriptedResolver(["127.0.0.1"], OSError("asked again"))
        allowed = parse_allowed_hosts([f"hook.invalid:{sink.port}"])

        outcome = await send(WebhookChannel(f"http://hook.invalid:{sink.port}/", allowed, resolve=resolve))

        assert isinstance(outcome, Delivered)
        assert resolve.asked == [("hook.invalid", sink.port)]
        assert sink.received[0].headers["host"] == f"hook.invalid:{sink.port}"


async def test_a_failing_name_server_is_a_temporary_failure_and_nothing_is_dialled() -> None:
    resolve = ScriptedResolver(socket.gaierror(socket.EAI_AGAIN, "try again"))

    outcome = await send(WebhookChannel("https://hook.invalid/T0K3N", AllowedHosts(), resolve=resolve))

    assert outcome == Failed("the host of https://hook.invalid/… cannot be resolved", permanent=False)


async def test_a_name_server_that_hangs_is_given_up() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    hook = WebhookChannel("https://hook.invalid/", AllowedHosts(), resolve=resolve, answer_seconds=0.2)
    outcome = await send(hook)

    assert isinstance(outcome, Failed)
    assert not outcome.permanent


async def test_a_dead_address_leaves_the_turn_to_the_next() -> None:
    async with HttpSink(answer(200)) as sink:
        allowed = parse_allowed_hosts(["hook.invalid"])
        resolve = ScriptedResolver(["127.0.0.2", "127.0.0.1"])

        assert isinstance(
            await send(WebhookChannel(f"http://hook.invalid:{sink.port}/", allowed, resolve=resolve)), Delivered
        )


async def tls_outcome(
    authority: Authority, certificate_for: str, **options: Any
) -> tuple[Delivered | Failed, HttpSink]:
    """One try at https://hook.invalid, pinned to a sink with a certificate for `certificate_for`."""
    async with HttpSink(answer(200), tls=authority.server(certificate_for)) as sink:
        hook = WebhookChannel(
            f"https://hook.invalid:{sink.port}/",
            parse_allowed_hosts(["hook.invalid"]),
            resolve=ScriptedResolver(["127.0.0.1"]),
            **options,
        )
        return await send(hook), sink


async def test_the_certificate_is_checked_against_the_name_and_not_the_address(authority: Authority) -> None:
    outcome, sink = await tls_outcome(authority, "hook.invalid", tls=authority.trusting())

    assert isinstance(outcome, Delivered)
    assert sink.received[0].headers["host"] == f"hook.invalid:{sink.port}"


@pytest.mark.parametrize("certificate_for", ["other.invalid", "127.0.0.1"])
async def test_a_certificate_for_another_name_or_for_the_address_is_not_taken(
    authority: Authority, certificate_for: str
) -> None:
    outcome, sink = await tls_outcome(authority, certificate_for, tls=authority.trusting())

    assert isinstance(outcome, Failed)
    assert "certificate cannot be verified" in outcome.reason
    assert sink.received == []


async def test_a_certificate_of_an_unknown_authority_is_not_taken(authority: Authority) -> None:
    outcome, sink = await tls_outcome(authority, "hook.invalid")

    assert isinstance(outcome, Failed)
    assert "certificate cannot be verified" in outcome.reason
    assert sink.received == []


async def test_the_name_is_what_the_server_is_asked_for(authority: Authority) -> None:
    names: list[str | None] = []
    context = authority.server("hook.invalid")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    async with HttpSink(answer(200), tls=context) as sink:
        await send(
            WebhookChannel(
                f"https://hook.invalid:{sink.port}/",
                parse_allowed_hosts(["hook.invalid"]),
                resolve=ScriptedResolver(["127.0.0.1"]),
                tls=authority.trusting(),
            )
        )

    assert names == ["hook.invalid"]


async def test_a_server_that_never_finishes_the_handshake_is_given_up_and_its_socket_closed() -> None:
    closed = asyncio.Event()

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        closed.set()

    async with await asyncio.start_server(swallow, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        hook = WebhookChannel(f"https://127.0.0.1:{port}/", parse_allowed_hosts(["127.0.0.1"]), answer_seconds=1.0)
        outcome = await send(hook)
        async with asyncio.timeout(10):
            await closed.wait()

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
