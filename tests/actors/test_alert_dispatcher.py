"""The outbox on its way out: receipts, retries, burials."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis.asyncio

from actors.alert_dispatcher import AlertDispatcher, DispatcherTools
from notify.message import AlertMessage
from notify.outcome import Channel, Delivered, Failed
from schemas.alert_rule import Channel as Way
from schemas.frame import LiveChannel
from storage.deliveries import Deliveries
from storage.live_bus import LiveBus
from storage.postgres import Pool, connect_pool
from tests.actors.fakes import FakeChannel, FakeClock
from tests.eventually import eventually
from tests.storage.pieces import LEASE, make_claimable
from tests.storage.rows import NOON, Rows
from tests.storage.wire import Wire
from tests.vision.pictures import jpeg, scene, write_clip


class Post:
    """A dispatcher over real rows and channels that are told what to answer; it works only while it is started."""

    def __init__(self, pool: Pool, database: Pool, client: redis.asyncio.Redis) -> None:
        self.database = database
        self.rows = Rows(database)
        self.clock = FakeClock(NOON)
        self.channels: dict[str, FakeChannel] = {name: FakeChannel() for name in ("email", "webhook", "push")}
        self.live = LiveBus(client)
        channels: dict[str, Channel] = dict(self.channels)
        self.tools = DispatcherTools(
            deliveries=Deliveries(pool),
            channels=channels,
            why_not=lambda name: f"{name} is not configured: set it",
            live=self.live,
            wait=self.wait,
            clock=self.clock,
            random=lambda: 0.5,
            timezone="Europe/Berlin",
        )
        self.dispatcher = AlertDispatcher("alert_dispatcher", self.connect)

    async def connect(self) -> DispatcherTools:
        return self.tools

    async def wait(self, _seconds: float) -> None:
        """Returns soon, so that a test need not ring."""
        await asyncio.sleep(0.01)

    @property
    def email(self) -> FakeChannel:
        return self.channels["email"]

    async def queued(self, *recipients: str, channel: str = "email", **event: Any) -> UUID:
        """An alert with a delivery to each of these; answers the alert's id."""
        rule = await self.rows.rule(name="Somebody")
        metadata = {"rule_name": "Somebody", "matched_conditions": {"risk_threshold": "70 >= 60"}}
        alert_id = await self.rows.alert(await self.rows.event(**event), rule, metadata=metadata)
        for recipient in recipients:
            await self.rows.delivery(alert_id, channel=channel, recipient=recipient)
        return alert_id

    async def delivery(self, recipient: str = "me") -> dict[str, Any]:
        found = await self.database.fetchrow("SELECT * FROM deliveries WHERE recipient = $1", recipient)
        return dict(found or {})

    async def becomes(self, status: str, recipient: str = "me") -> None:
        await eventually(lambda: self._is(status, recipient))

    async def _is(self, status: str, recipient: str) -> bool:
        return bool((await self.delivery(recipient))["status"] == status)

    async def alert_status(self) -> str:
        return str(await self.database.fetchval("SELECT status FROM alerts"))

    async def wait_seconds(self, recipient: str = "me") -> float:
        """How long the next try is put off."""
        return float(
            await self.database.fetchval(
                "SELECT extract(epoch FROM claimable_at - now()) FROM deliveries WHERE recipient = $1", recipient
            )
        )


@pytest.fixture
async def post(database: Pool, redis_client: redis.asyncio.Redis) -> AsyncIterator[Post]:
    await Rows(database).camera(name="The front door")
    made = Post(database, database, redis_client)
    yield made
    await made.dispatcher.stop()


async def test_a_delivery_is_sent_and_its_receipt_kept(post: Post) -> None:
    post.email.answers.append(Delivered("250 2.0.0 OK: queued as 4711"))
    await post.queued("me")
    await post.dispatcher.start()
    await post.becomes("delivered")
    row = await post.delivery()
    assert (row["receipt"], row["attempts"], row["delivered_at"]) == ("250 2.0.0 OK: queued as 4711", 1, NOON)
    assert await post.alert_status() == "delivered"
    assert (await post.dispatcher.health()).detail == {"delivered": 1, "failed_tries": 0}


async def test_the_message_says_what_the_rows_say(post: Post) -> None:
    alert_id = await post.queued("me", summary="A person at the door", object_types=["person"])
    await post.dispatcher.start()
    await post.becomes("delivered")
    ((recipient, message),) = post.email.sent
    assert (recipient, message.alert_id) == ("me", alert_id)
    assert message.idempotency_key == str((await post.delivery())["id"])
    assert (message.camera_id, message.camera_name) == ("front_door", "The front door")
    assert (message.summary, message.risk_score, message.risk_level) == ("A person at the door", 70, "high")
    assert (message.rule_name, message.matched_conditions) == ("Somebody", {"risk_threshold": "70 >= 60"})
    assert (message.timezone, message.picture) == ("Europe/Berlin", None)


async def test_an_alert_that_is_delivered_is_told(post: Post) -> None:
    alert_id = await post.queued("me", "you")
    await post.dispatcher.start()
    await post.becomes("delivered", "me")
    await post.becomes("delivered", "you")
    await eventually(lambda: _told(post))
    frames, _ = await post.live.replay(LiveChannel.ALERTS, 0)
    assert [(frame.type, frame.data["id"]) for frame in frames] == [("alert.updated", str(alert_id))]


async def _told(post: Post) -> bool:
    return await post.live.last_sequence(LiveChannel.ALERTS) > 0


async def test_a_failed_try_is_repeated_later_under_the_same_key(post: Post) -> None:
    post.email.answers.append(Failed("451 try again later", permanent=False))
    await post.queued("me")
    await post.dispatcher.start()
    await eventually(lambda: _error_is(post, "451 try again later"))
    assert await post.alert_status() == "pending"
    await make_claimable(post.database, "deliveries")
    await post.becomes("delivered")
    assert len({message.idempotency_key for _, message in post.email.sent}) == 1
    assert len(post.email.sent) == 2
    assert (await post.delivery())["error"] is None


async def _error_is(post: Post, error: str) -> bool:
    row = await post.delivery()
    return row["error"] == error and row["status"] == "queued"


async def test_tries_are_put_off_ever_longer(post: Post) -> None:
    post.email.answers.extend(Failed(f"failure {n}", permanent=False) for n in range(2))
    await post.queued("me")
    await post.dispatcher.start()
    await eventually(lambda: _error_is(post, "failure 0"))
    assert 0 < await post.wait_seconds() <= 1.5
    await make_claimable(post.database, "deliveries")
    await eventually(lambda: _error_is(post, "failure 1"))
    assert 1.5 < await post.wait_seconds() <= 3


async def test_a_receiver_that_asks_for_patience_gets_it(post: Post) -> None:
    post.email.answers.append(Failed("429 slow down", permanent=False, retry_after_seconds=120))
    await post.queued("me")
    await post.dispatcher.start()
    await eventually(lambda: _error_is(post, "429 slow down"))
    assert 100 < await post.wait_seconds() <= 120


async def test_after_three_tries_a_delivery_is_dead_with_the_last_reason(post: Post) -> None:
    post.email.answers.extend(Failed(f"failure {n}", permanent=False) for n in range(1, 4))
    await post.queued("me")
    await post.dispatcher.start()
    await eventually(lambda: _is_dead(post))
    row = await post.delivery()
    assert (row["error"], row["attempts"]) == ("failure 3", 3)
    assert len(post.email.sent) == 3
    assert (await post.dispatcher.health()).detail == {"delivered": 0, "failed_tries": 3}


async def _is_dead(post: Post) -> bool:
    await make_claimable(post.database, "deliveries")
    return bool((await post.delivery())["status"] == "dead")


async def test_what_would_fail_again_is_dead_at_once(post: Post) -> None:
    post.email.answers.append(Failed("550 no such user", permanent=True))
    await post.queued("me")
    await post.dispatcher.start()
    await post.becomes("dead")
    assert ((await post.delivery())["error"], len(post.email.sent)) == ("550 no such user", 1)


async def test_a_channel_that_was_switched_off_since_is_dead_with_the_reason(post: Post) -> None:
    del post.tools.channels["push"]
    await post.queued("me", channel="push")
    await post.dispatcher.start()
    await post.becomes("dead")
    assert (await post.delivery())["error"] == "push is not configured: set it"


async def test_a_channels_own_fault_costs_a_try_and_no_other_delivery(post: Post) -> None:
    post.email.answers.append(ZeroDivisionError("in the channel"))
    await post.queued("me", "you")
    await post.dispatcher.start()
    await eventually(lambda: _one_each(post))
    failed = await post.database.fetchval("SELECT error FROM deliveries WHERE status = 'queued'")
    assert failed == "ZeroDivisionError while it was sent"


async def _one_each(post: Post) -> bool:
    found = await post.database.fetch("SELECT status FROM deliveries ORDER BY status")
    return [row["status"] for row in found] == ["delivered", "queued"]


async def test_a_mail_server_that_hangs_holds_up_no_webhook(post: Post) -> None:
    hanging, end = asyncio.Event(), asyncio.Event()

    async def hang(recipient: str, message: AlertMessage) -> Delivered | Failed:
        hanging.set()
        await end.wait()
        return Delivered("at last")

    post.email.send = hang  # type: ignore[method-assign]
    await post.queued("me")
    await post.dispatcher.start()
    await hanging.wait()
    await post.queued("hook", channel="webhook")
    await post.becomes("delivered", "hook")
    assert (await post.delivery("me"))["status"] == "sending"
    end.set()


async def with_picture(post: Post, file: Path, media_type: str = "image") -> None:
    """An alert of which this file is the evidence, for two channels."""
    batch = await post.rows.batch()
    media = await post.rows.media(file=file, media_type=media_type, width=320, height=180)
    await post.rows.detection(batch, media, x=10, y=10, width=50, height=80)
    await post.queued("me", batch_id=batch)
    alert_id = await post.database.fetchval("SELECT id FROM alerts")
    await post.rows.delivery(alert_id, channel="webhook", recipient="hook")


def a_picture(folder: Path) -> Path:
    path = folder / "a.jpg"
    path.write_bytes(jpeg(scene(180, 320)))
    return path


async def test_the_picture_goes_along_with_its_boxes_except_to_a_webhook(post: Post, tmp_path: Path) -> None:
    await with_picture(post, a_picture(tmp_path))
    await post.dispatcher.start()
    await post.becomes("delivered", "me")
    await post.becomes("delivered", "hook")
    picture = post.email.sent[0][1].picture
    assert picture is not None
    assert picture.startswith(b"\xff\xd8")
    assert post.channels["webhook"].sent[0][1].picture is None


async def test_the_frame_of_a_clip_goes_along(post: Post, tmp_path: Path) -> None:
    await with_picture(post, write_clip(tmp_path / "a.mp4", seconds=2), "video")
    await post.dispatcher.start()
    await post.becomes("delivered", "me")
    assert post.email.sent[0][1].picture is not None


@pytest.mark.parametrize("fate", ["gone", "damaged", "overwritten"])
async def test_without_its_picture_an_alert_is_sent_all_the_same(post: Post, tmp_path: Path, fate: str) -> None:
    path = a_picture(tmp_path)
    if fate == "damaged":
        path.write_bytes(path.read_bytes()[:500])
    await with_picture(post, path)
    if fate == "gone":
        path.unlink()
    if fate == "overwritten":
        path.write_bytes(jpeg(scene(90, 160)))
    await post.dispatcher.start()
    await post.becomes("delivered", "me")
    assert post.email.sent[0][1].picture is None


async def test_an_alert_that_a_person_has_taken_on_is_not_set_back(post: Post) -> None:
    await post.queued("me")
    await post.database.execute("UPDATE alerts SET status = 'acknowledged'")
    await post.dispatcher.start()
    await post.becomes("delivered")
    assert await post.alert_status() == "acknowledged"


async def test_at_start_it_sends_what_its_earlier_life_held(post: Post) -> None:
    await post.queued("me")
    await post.tools.deliveries.claim("alert_dispatcher-email", Way.EMAIL, 1, LEASE, 3)
    await post.dispatcher.start()
    await post.becomes("delivered")
    assert (await post.delivery())["attempts"] == 2


async def test_deliveries_whose_sender_died_each_time_are_buried(post: Post) -> None:
    await post.queued("me")
    for _ in range(3):
        await post.tools.deliveries.claim("dead", Way.EMAIL, 1, LEASE, 3)
        await post.tools.deliveries.release("dead")
    await post.dispatcher.start()
    await post.becomes("dead")
    assert (await post.delivery())["error"] == "3 tries ended without an answer"


async def test_a_claim_is_over_only_when_each_of_its_deliveries_is(
    database: Pool, database_url: str, redis_client: redis.asyncio.Redis
) -> None:
    """One loses the database over its receipt while the other is being sent: that one is not sent beside itself."""
    await Rows(database).camera()
    async with Wire(database_url) as wire:
        pool = await connect_pool(wire.address, 1, 4, "tests")
        post = Post(pool, database, redis_client)
        go_on, slow_sends = asyncio.Event(), 0

        async def send(recipient: str, message: AlertMessage) -> Delivered | Failed:
            nonlocal slow_sends
            if recipient == "fast":
                await eventually(lambda: slow_sends == 1)
                await wire.cut()
                return Delivered("250 OK")
            slow_sends += 1
            await go_on.wait()
            return Delivered("250 OK")

        post.email.send = send  # type: ignore[method-assign]
        alert_id = await post.queued("fast", "slow")
        await post.dispatcher.start()
        await eventually(lambda: wire.is_cut)
        await wire.mend()
        await post.rows.delivery(alert_id, channel="webhook", recipient="hook")
        await post.becomes("delivered", "hook")
        assert slow_sends == 1
        post.email.send = FakeChannel().send  # type: ignore[method-assign]
        go_on.set()
        await post.becomes("delivered", "slow")
        await post.becomes("delivered", "fast")
        assert slow_sends == 1
        await post.dispatcher.stop()
        pool.terminate()


async def test_what_is_suppressed_is_never_sent(post: Post) -> None:
    alert_id = await post.queued("me")
    await post.rows.delivery(alert_id, recipient="nobody", status="suppressed", suppressed_because="quiet hours")
    await post.dispatcher.start()
    await post.becomes("delivered", "me")
    assert [recipient for recipient, _ in post.email.sent] == ["me"]


async def test_a_backlog_is_sent_to_the_end(post: Post) -> None:
    await post.queued(*(f"recipient {n}" for n in range(40)), started_at=NOON - timedelta(hours=1))
    await post.dispatcher.start()
    await eventually(lambda: len(post.email.sent) == 40)
    assert len({recipient for recipient, _ in post.email.sent}) == 40
