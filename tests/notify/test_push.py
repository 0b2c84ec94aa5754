"""The push channel: Apprise against real servers on loopback."""

import asyncio
import base64
import logging
import threading
from typing import Any

import pytest

from notify.outcome import Delivered, Failed
from notify.push import PushChannel, push_recipient
from tests.notify.http_sink import Answer, HttpSink, answer, hang, reset_before_answer
from tests.notify.messages import PICTURE, alert

# Apprise, loading its plug-ins, imports a module of the standard library that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECRET = "S3CR3Tpath"


def target(sink: HttpSink, query: str = "") -> str:
    return f"json://user:passW0RD@127.0.0.1:{sink.port}/{SECRET}{query}"


async def send(sink: HttpSink, query: str = "", **options: Any) -> Delivered | Failed:
    """One try; the limit only keeps a broken channel from hanging the tests."""
    channel = PushChannel([target(sink, query)], **options)
    async with asyncio.timeout(60):
        return await channel.send(channel.recipients[0], alert())


async def test_an_accepted_push_is_delivered_with_title_text_and_picture() -> None:
    async with HttpSink(answer(200)) as sink:
        outcome = await send(sink)

        assert outcome == Delivered(f"accepted by {push_recipient(target(sink))}")
        (request,) = sink.received
        assert request.json["title"] == "[HIGH 78] Front Door: A person stands at the door"
        assert request.json["message"].startswith("A person stands at the door\nFront Door, ")
        (picture,) = request.json["attachments"]
        assert base64.b64decode(picture["base64"]) == PICTURE
        assert picture["mimetype"] == "image/jpeg"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 302])
async def test_a_refusal_is_permanent_and_says_its_status(status: int) -> None:
    async with HttpSink(answer(status, Location="http://127.0.0.1:1/")) as sink:
        outcome = await send(sink)

        assert outcome == Failed(f"{push_recipient(target(sink))} answered HTTP {status}", permanent=True)
        assert len(sink.received) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
async def test_a_status_that_may_pass_is_temporary(status: int) -> None:
    async with HttpSink(answer(status)) as sink:
        outcome = await send(sink)

        assert outcome == Failed(f"{push_recipient(target(sink))} answered HTTP {status}", permanent=False)


async def test_a_broken_connection_is_temporary() -> None:
    async with HttpSink(reset_before_answer) as sink:
        outcome = await send(sink)

        assert isinstance(outcome, Failed)
        assert not outcome.permanent


async def test_a_failure_that_apprise_calls_optional_is_still_a_failure() -> None:
    async with HttpSink(answer(500)) as sink:
        assert isinstance(await send(sink, "?optional=yes"), Failed)


async def test_a_url_that_apprise_does_not_know_is_a_permanent_failure() -> None:
    channel = PushChannel([f"nosuchservice://{SECRET}"])

    outcome = await channel.send(channel.recipients[0], alert())

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert SECRET not in outcome.reason
    assert channel.recipients[0] in outcome.reason


async def test_a_broken_url_does_not_hide_a_working_one() -> None:
    async with HttpSink(answer(500)) as broken, HttpSink(answer(200)) as working:
        channel = PushChannel([target(broken), "nosuchservice://x", target(working)])

        outcomes = [await channel.send(recipient, alert()) for recipient in channel.recipients]

        assert [type(outcome) for outcome in outcomes] == [Failed, Failed, Delivered]
        assert len({getattr(outcome, "reason", outcome) for outcome in outcomes}) == 3


async def test_only_configured_urls_are_ever_used() -> None:
    async with HttpSink(answer(200)) as sink:
        outcome = await PushChannel([]).send(target(sink), alert())

        assert outcome == Failed("the recipient is not one of PUSH_URLS", permanent=True)
        assert sink.connections == 0


async def test_a_service_that_hangs_is_given_up_and_holds_at_most_two_threads() -> None:
    # `rto` is Apprise's own read limit; it must not be what ends this.
    async with HttpSink(hang) as sink:
        channel = PushChannel([target(sink, "?rto=30")], total_seconds=0.3)
        (name,) = channel.recipients

        outcomes = [await channel.send(name, alert()) for _ in range(3)]

        assert all(isinstance(outcome, Failed) and not outcome.permanent for outcome in outcomes)
        assert "did not answer within 0.3 s" in str(outcomes[1])
        assert "earlier messages still wait" in str(outcomes[2])
        hanging = [thread for thread in threading.enumerate() if thread.name == f"push {name}"]
        assert len(hanging) == 2
        assert all(thread.daemon for thread in hanging)

    for thread in hanging:
        await asyncio.to_thread(thread.join)


async def test_many_messages_at_once_to_a_service_that_answers_are_all_delivered() -> None:
    async with HttpSink(answer(200)) as sink:
        channel = PushChannel([target(sink)])
        (name,) = channel.recipients

        outcomes = await asyncio.gather(*(channel.send(name, alert(picture=None)) for _ in range(8)))

        assert outcomes == [Delivered(f"accepted by {name}")] * 8
        assert len(sink.received) == 8


async def test_a_service_is_used_again_once_the_messages_that_nobody_waits_for_have_ended() -> None:
    async with HttpSink(hang, hang, answer(200)) as sink:
        channel = PushChannel([target(sink, "?rto=30")])
        (name,) = channel.recipients
        for _ in range(2):
            sink.asked.clear()
            task = asyncio.create_task(channel.send(name, alert()))
            await sink.asked.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        refused = await channel.send(name, alert())

        sink.closing.set()
        for thread in threading.enumerate():
            if thread.name == f"push {name}":
                await asyncio.to_thread(thread.join)
        taken = await channel.send(name, alert())

    assert isinstance(refused, Failed)
    assert "earlier messages still wait" in refused.reason
    assert taken == Delivered(f"accepted by {name}")


def test_a_recipient_is_its_schema_and_a_short_digest_and_the_same_at_every_start() -> None:
    url = "ntfys://me:s3cret@ntfy.example/topic"

    assert push_recipient(url) == push_recipient(url)
    schema, _, digest = push_recipient(url).partition(":")
    assert schema == "ntfys"
    assert len(digest) == 8
    assert push_recipient(url) != push_recipient(url + "x")


def test_a_url_without_a_schema_shows_nothing_of_itself() -> None:
    assert push_recipient("s3cret-without-schema").startswith("push:")


@pytest.mark.parametrize("sink_answer", [answer(200), answer(401), reset_before_answer])
async def test_no_log_line_outcome_or_output_holds_a_piece_of_the_url(
    sink_answer: Answer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with HttpSink(sink_answer) as sink:
        outcome = await send(sink)
        unknown = PushChannel([f"json://{SECRET}:passW0RD@:99999"])
        other = await unknown.send(unknown.recipients[0], alert())

    printed = capfd.readouterr()
    # pytest listens to loggers that do not propagate too, which is more than any operator's log gets.
    everything = caplog.text + repr(outcome) + repr(other) + printed.out + printed.err
    assert SECRET not in everything
    assert "passW0RD" not in everything


async def test_a_picture_too_large_for_a_push_is_left_out_and_the_alert_goes() -> None:
    async with HttpSink(answer(200)) as sink:
        channel = PushChannel([target(sink)])
        outcome = await channel.send(channel.recipients[0], alert(picture=b"\xff" * 3_000_001))

        assert isinstance(outcome, Delivered)
        assert sink.received[0].json["attachments"] == []
