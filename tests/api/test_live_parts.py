"""Parts of a live connection that need no connection: messages, the outbox."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from deployments.api.live.messages import Fault, Ping, Pong, Resync, Subscribe, notice, read_message
from deployments.api.live.outbox import Dropped, LiveOutbox, Outgoing, outgoing
from schemas.frame import Frame, LiveChannel


def _outgoing(number: int) -> Outgoing:
    return Outgoing("alert.created", LiveChannel.ALERTS, number, str(number))


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "subscribe", "data": {"patterns": ["alert.*"]}}',
        '{"type": "subscribe", "data": {"events": ["alert.*"]}}',
        '{"type": "subscribe", "patterns": ["alert.*"]}',
    ],
)
def test_patterns_are_understood_however_they_are_called(text: str) -> None:
    assert read_message(text) == Subscribe(["alert.*"])


def test_words_and_messages_mean_the_same() -> None:
    assert read_message("ping") == read_message('{"type": "ping"}') == Ping()
    assert read_message("pong") == read_message('{"type": "pong"}') == Pong()
    assert read_message('{"type":"resync","channel":"jobs","last_sequence":3}') == Resync(LiveChannel.JOBS, 3)
    assert isinstance(read_message("PING!"), Fault)


def test_a_notice_has_the_form_of_a_frame_and_no_number() -> None:
    told = json.loads(notice("pong", {"of": "größe"}, datetime(2025, 1, 1, tzinfo=UTC)))
    assert told == {
        "type": "pong",
        "data": {"of": "größe"},
        "timestamp": "2025-01-01T00:00:00Z",
        "sequence": None,
        "channel": None,
    }


def test_replay_is_said_only_of_frames_that_come_again() -> None:
    frame = Frame(
        type="job.started",
        data={},
        timestamp=datetime(2025, 1, 1, tzinfo=UTC),
        sequence=1,
        channel=LiveChannel.JOBS,
    )
    assert "replay" not in json.loads(outgoing(frame).text)
    assert json.loads(outgoing(frame.model_copy(update={"replay": True})).text)["replay"] is True


async def test_a_full_outbox_loses_its_oldest_frames_and_counts_them() -> None:
    outbox = LiveOutbox(most_frames=3, most_replies=4)
    for number in range(10):
        outbox.offer(_outgoing(number))
    taken = [await outbox.take() for _ in range(4)]
    assert taken[0] == Dropped(7)
    assert [item.sequence for item in taken[1:] if isinstance(item, Outgoing)] == [7, 8, 9]
    outbox.offer(_outgoing(10))
    assert await outbox.take() == _outgoing(10)


async def test_answers_go_before_frames_and_wait_for_room() -> None:
    outbox = LiveOutbox(most_frames=3, most_replies=1)
    outbox.offer(_outgoing(1))
    await outbox.reply("first")
    waiting = asyncio.create_task(outbox.reply("second"))
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.reply_if_room("never")
    assert await outbox.take() == "first"
    await waiting
    assert await outbox.take() == "second"
    assert await outbox.take() == _outgoing(1)


async def test_whoever_waits_is_woken_by_what_comes() -> None:
    outbox = LiveOutbox(most_frames=3, most_replies=1)
    waiting = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    outbox.offer(_outgoing(1))
    assert await waiting == _outgoing(1)
