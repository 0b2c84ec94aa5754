"""The webhook channel against real servers on loopback that answer well, badly, slowly and never."""

import asyncio
import hashlib
import hmac
import logging
from typing import Any

import pytest

from notify.allowed_hosts import AllowedHosts, parse_allowed_hosts
from notify.outcome import Delivered, Failed
from notify.webhook import BODY_LIMIT, WebhookChannel
from tests.notify.http_sink import (
    Answer,
    HttpSink,
    answer,
    drip_body,
    drip_headers,
    endless_body,
    hang,
    not_http,
    reset_before_answer,
    reset_mid_body,
)
from tests.notify.messages import alert

LOOPBACK = parse_allowed_hosts(["127.0.0.1"])


def channel(url: str, **options: Any) -> WebhookChannel:
    return WebhookChannel(url, LOOPBACK, **options)


async def send(sink: HttpSink, path: str = "/hook", **options: Any) -> Delivered | Failed:
    """One try; the limit only keeps a broken channel from hanging the tests."""
    hook = channel(f"http://127.0.0.1:{sink.port}{path}", **options)
    async with asyncio.timeout(30):
        return await hook.send(hook.recipient, alert())


async def test_an_accepted_alert_is_delivered_with_the_status_as_receipt() -> None:
    async with HttpSink(answer(202, b"queued\r\n as\x00 7")) as sink:
        assert await send(sink) == Delivered("HTTP 202: queued as 7")


async def test_the_request_carries_the_key_the_document_and_our_name() -> None:
    async with HttpSink(answer(204)) as sink:
        await send(sink, "/hook?token=abc")

        (request,) = sink.received
        assert request.line == "POST /hook?token=abc HTTP/1.1"
        assert request.headers["host"] == f"127.0.0.1:{sink.port}"
        assert request.headers["idempotency-key"] == alert().idempotency_key
        assert request.headers["content-type"] == "application/json"
        assert request.headers["user-agent"].startswith("home-security-webhook")
        assert "x-signature-sha256" not in request.headers
        assert request.json["alert"]["idempotency_key"] == alert().idempotency_key


async def test_two_tries_send_the_same_bytes_and_the_same_key() -> None:
    async with HttpSink(answer(503), answer(200)) as sink:
        first, second = await send(sink, secret="s"), await send(sink, secret="s")

        assert isinstance(first, Failed)
        assert isinstance(second, Delivered)
        assert sink.received[0] == sink.received[1]


async def test_with_a_secret_the_body_is_signed() -> None:
    async with HttpSink(answer(200)) as sink:
        await send(sink, secret="sesame")

        (request,) = sink.received
        expected = hmac.new(b"sesame", request.body, hashlib.sha256).hexdigest()
        assert request.headers["x-signature-sha256"] == expected


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_permanent_failure_and_is_not_followed(status: int) -> None:
    async with HttpSink(answer(200)) as target, HttpSink(answer(status, Location=target.url)) as sink:
        outcome = await send(sink)

        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert "redirects are not followed" in outcome.reason
        assert target.received == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_a_status_that_may_pass_is_temporary(status: int) -> None:
    async with HttpSink(answer(status)) as sink:
        outcome = await send(sink)

        assert isinstance(outcome, Failed)
        assert not outcome.permanent
        assert f"HTTP {status}" in outcome.reason


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422])
async def test_a_refusal_is_permanent(status: int) -> None:
    async with HttpSink(answer(status, b"invalid_payload")) as sink:
        outcome = await send(sink)

        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert outcome.reason == f"http://127.0.0.1:{sink.port}/… answered HTTP {status}: invalid_payload"


@pytest.mark.parametrize(("asked", "kept"), [("7", 7.0), ("86400", 300.0), ("0", 0.0), ("-5", None), ("soon", None)])
async def test_a_wait_that_is_asked_for_is_respected_and_bounded(asked: str, kept: float | None) -> None:
    async with HttpSink(answer(429, Retry_After=asked)) as sink:
        outcome = await send(sink)

        assert isinstance(outcome, Failed)
        assert outcome.retry_after_seconds == kept


async def test_a_point_in_time_to_retry_at_counts_from_the_answers_own_date() -> None:
    told = answer(503, Date="Sat, 22 Nov 2025 05:30:00 GMT", Retry_After="Sat, 22 Nov 2025 05:30:42 GMT")
    async with HttpSink(told) as sink:
        outcome = await send(sink)

        assert isinstance(outcome, Failed)
        assert outcome.retry_after_seconds == 42.0


async def test_a_success_whose_body_breaks_off_is_still_delivered() -> None:
    async with HttpSink(reset_mid_body) as sink:
        assert await send(sink) == Delivered("HTTP 200")


async def test_a_success_whose_body_drips_is_delivered_without_waiting_for_its_end() -> None:
    async with HttpSink(drip_body) as sink:
        assert await send(sink, body_seconds=0.2) == Delivered("HTTP 200")


async def test_once_the_status_is_there_the_time_for_the_answer_no_longer_counts() -> None:
    async with HttpSink(drip_body) as sink:
        assert await send(sink, answer_seconds=2.0, body_seconds=2.5) == Delivered("HTTP 200")


async def test_of_an_endless_body_no_more_than_the_limit_is_read() -> None:
    async with HttpSink(endless_body) as sink:
        outcome = await send(sink, body_seconds=20.0)

        assert isinstance(outcome, Delivered)
        assert len(outcome.receipt) <= 220
        # What the sink wrote is what was read and what fits the kernel's buffers on both sides.
        assert sink.body_bytes_written < BODY_LIMIT + 16_000_000


@pytest.mark.parametrize("sink_answer", [hang, drip_headers])
async def test_a_server_that_does_not_come_to_an_answer_is_given_up(sink_answer: Answer) -> None:
    async with HttpSink(sink_answer) as sink:
        outcome = await send(sink, answer_seconds=0.3)

        assert isinstance(outcome, Failed)
        assert not outcome.permanent
        assert "did not answer within 0.3 s" in outcome.reason


@pytest.mark.parametrize(("sink_answer", "reason"), [(reset_before_answer, "broke off"), (not_http, "not HTTP")])
async def test_an_answer_that_is_none_is_a_temporary_failure(sink_answer: Answer, reason: str) -> None:
    async with HttpSink(sink_answer) as sink:
        outcome = await send(sink)

        assert isinstance(outcome, Failed)
        assert not outcome.permanent
        assert reason in outcome.reason


async def test_a_closed_port_is_a_temporary_failure() -> None:
    async with HttpSink(answer(200)) as sink:
        pass

    outcome = await send(sink)

    assert isinstance(outcome, Failed)
    assert not outcome.permanent


async def test_a_loopback_address_that_is_not_listed_is_never_dialled() -> None:
    async with HttpSink(answer(200)) as sink:
        hook = WebhookChannel(f"https://127.0.0.1:{sink.port}/", AllowedHosts())
        outcome = await hook.send(hook.recipient, alert())

        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert sink.connections == 0


async def test_a_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with HttpSink(answer(200)) as proxy, HttpSink(answer(200)) as sink:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)

        assert isinstance(await send(sink), Delivered)
        assert proxy.connections == 0


@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize(
    "echo", [b"Cannot POST /services/T0K3N-abc", b"key=S3CR3T%21value", b"t0k3n_ABC", b'{"path":"\\/services\\/x"}']
)
async def test_an_answer_that_repeats_the_url_leaves_no_words_behind(status: int, echo: bytes) -> None:
    async with HttpSink(answer(status, echo)) as sink:
        outcome = await send(sink, "/services/T0K3N-abc?key=S3CR3T!value")

        told = outcome.receipt if isinstance(outcome, Delivered) else outcome.reason
        assert told.endswith(f"HTTP {status}")


async def test_no_log_line_at_any_level_holds_the_urls_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with HttpSink(answer(200)) as sink:
        await send(sink, "/T0K3N?key=S3CR3T")

    assert "T0K3N" not in caplog.text
    assert "S3CR3T" not in caplog.text


async def test_a_recipient_that_is_a_url_of_its_own_passes_the_guard_too() -> None:
    async with HttpSink(answer(200)) as sink:
        hook = WebhookChannel("https://example.com/", AllowedHosts())
        outcome = await hook.send(sink.url, alert())

        assert isinstance(outcome, Failed)
        assert sink.connections == 0


async def test_a_recipient_that_is_no_longer_configured_is_told_and_not_dialled() -> None:
    hook = WebhookChannel("https://new.example.com/x", AllowedHosts())

    outcome = await hook.send("https://old.example.com/…", alert())

    assert outcome == Failed("https://old.example.com/… is no longer the configured webhook", permanent=True)


async def test_a_cancelled_try_stays_cancelled() -> None:
    async with HttpSink(hang) as sink:
        task = asyncio.create_task(send(sink))
        await sink.asked.wait()
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
