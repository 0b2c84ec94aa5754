"""Clean-up deletes what has expired, all of it, and nothing else; a dry run says so before."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import redis.asyncio

from actors.cleanup_run import FIRST_STEP
from actors.ports import CleanupRunning
from schemas.frame import LiveChannel
from schemas.severity import Severity
from storage.assessments import Assessments
from storage.errors import StoreUnavailable
from storage.postgres import Pool
from tests.actors.cleaning import FRESH, NOW, OLD, SOMEBODY, TABLES, House
from tests.eventually import eventually
from tests.storage.provisional import BY_MODEL, by_model, taken


@pytest.fixture
async def house(tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis) -> House:
    made = House(tmp_path, database, redis_client)
    await made.rows.camera()
    await database.execute("UPDATE schema_migrations SET applied_at = $1", NOW)
    return made


def gone(report: Any) -> dict[str, int]:
    return {name: count for name, count in report.model_dump().items() if name.endswith("_deleted") and count}


async def test_an_expired_event_goes_with_everything_that_belongs_to_it(house: House) -> None:
    old, fresh = await house.seen(OLD), await house.seen(FRESH)
    await house.rows.delivery(await house.rows.alert(old.event), status="delivered")
    report = await house.service().run(False, SOMEBODY)
    assert gone(report) == {
        "events_deleted": 1,
        "detections_deleted": 1,
        "alerts_deleted": 1,
        "batches_deleted": 1,
        "thumbnails_deleted": 1,
    }
    assert report.space_reclaimed == 300
    assert await house.says("SELECT array_agg(id) FROM events") == [fresh.event]
    assert not old.thumbnail.exists()
    assert fresh.thumbnail.exists()
    counts = await house.counts()
    assert [counts[table] for table in ("detections", "batches", "alerts", "deliveries")] == [1, 1, 0, 0]


async def test_an_upload_that_lies_in_its_folder_keeps_its_row_so_that_it_is_not_taken_for_new(house: House) -> None:
    old = await house.seen(OLD)
    await house.service().run(False, SOMEBODY)
    assert old.upload.exists()
    assert await house.says("SELECT state FROM media WHERE id = $1", old.media) == "detected"


async def test_the_row_of_an_upload_that_is_gone_goes(house: House) -> None:
    old = await house.seen(OLD)
    old.upload.unlink()
    report = await house.service().run(False, SOMEBODY)
    assert (report.media_deleted, report.images_deleted) == (1, 0)


async def test_a_row_whose_file_was_overwritten_goes_and_the_new_file_stays(house: House) -> None:
    house.delete_images = True
    old = await house.seen(OLD)
    old.upload.write_bytes(b"another picture")
    report = await house.service().run(False, SOMEBODY)
    assert (report.media_deleted, report.images_deleted) == (1, 0)
    assert old.upload.read_bytes() == b"another picture"


async def test_uploads_are_deleted_when_the_operator_wants_it(house: House) -> None:
    house.delete_images = True
    old, fresh = await house.seen(OLD), await house.seen(FRESH)
    report = await house.service().run(False, SOMEBODY)
    assert (report.images_deleted, report.media_deleted, report.space_reclaimed) == (1, 1, 1300)
    assert not old.upload.exists()
    assert fresh.upload.exists()


async def test_nothing_is_known_of_a_file_while_its_cameras_folder_is_away(house: House) -> None:
    house.delete_images = True
    old = await house.seen(OLD)
    old.upload.parent.rename(house.folder / "unmounted")
    report = await house.service().run(False, SOMEBODY)
    assert (report.media_deleted, report.images_deleted) == (0, 0)


async def test_no_upload_is_deleted_through_a_link_nor_outside_of_the_camera_root(house: House) -> None:
    house.delete_images = True
    outside = house.folder / "elsewhere" / "precious.jpg"
    outside.parent.mkdir()
    outside.write_bytes(b"precious")
    link = house.upload("front_door/link.jpg")
    link.unlink()
    link.symlink_to(outside)
    (house.root / "front_door" / "way").symlink_to(outside.parent)
    status, link_status = outside.stat(), link.lstat()
    for path, size, modified in (
        (outside, status.st_size, status.st_mtime_ns),
        (house.root / "front_door" / "way" / "precious.jpg", status.st_size, status.st_mtime_ns),
        (house.root / "front_door" / ".." / ".." / "elsewhere" / "precious.jpg", status.st_size, status.st_mtime_ns),
        (link, link_status.st_size, link_status.st_mtime_ns),
    ):
        await house.rows.media(
            path=os.fsencode(path), size_bytes=size, modified_ns=modified, captured_at=OLD, content_hash=os.urandom(32)
        )
    report = await house.service().run(False, SOMEBODY)
    assert (report.media_deleted, report.images_deleted) == (0, 0)
    assert outside.read_bytes() == b"precious"
    assert link.is_symlink()


@pytest.mark.parametrize("state", ["open", "closed", "assessing"])
async def test_a_batch_that_is_not_done_stays_whatever_its_age(house: House, state: str) -> None:
    old = await house.seen(OLD)
    await house.pool.execute("DELETE FROM events")
    await house.pool.execute("UPDATE batches SET state = $1", state)
    assert gone(await house.service().run(False, SOMEBODY)) == {}
    assert old.thumbnail.exists()


@pytest.mark.parametrize("state", ["queued", "detecting"])
async def test_a_file_that_was_not_looked_at_stays_whatever_its_age(house: House, state: str) -> None:
    house.delete_images = True
    upload = house.upload("front_door/waiting.jpg")
    await house.rows.media(file=upload, captured_at=OLD, state=state)
    assert gone(await house.service().run(False, SOMEBODY)) == {}
    assert upload.exists()


async def test_a_duplicate_waits_for_its_original_which_may_turn_out_to_be_unreadable(house: House) -> None:
    original = await house.rows.media(file=house.upload("front_door/1.jpg"), captured_at=OLD, state="queued")
    twin = house.upload("front_door/2.jpg")
    await house.rows.media(file=twin, captured_at=OLD, state="duplicate", duplicate_of=original)
    twin.unlink()
    assert gone(await house.service().run(False, SOMEBODY)) == {}


@pytest.mark.parametrize("status", ["queued", "sending"])
async def test_an_event_whose_alert_is_still_to_be_sent_stays_with_its_evidence(house: House, status: str) -> None:
    old = await house.seen(OLD)
    await house.rows.delivery(await house.rows.alert(old.event), status=status)
    assert gone(await house.service().run(False, SOMEBODY)) == {}
    assert old.upload.exists()


@pytest.mark.parametrize("state", ["waiting", "assessing", "done", "dead"])
async def test_a_provisional_event_goes_with_its_reassessment_wherever_that_stands(house: House, state: str) -> None:
    old, fresh = await house.seen(OLD, assessment="provisional"), await house.seen(FRESH, assessment="provisional")
    for event in (old.event, fresh.event):
        await house.rows.reassessment(event, state=state)
    service = house.service()
    said, done = await service.run(True, SOMEBODY), await service.run(False, SOMEBODY)
    assert gone(said) == gone(done)
    assert done.events_deleted == 1
    assert [row["id"] for row in await house.pool.fetch("SELECT id FROM reassessments")] == [fresh.event]


async def test_an_event_that_is_being_revised_is_left_for_the_next_run(house: House) -> None:
    old = await house.seen(OLD, assessment="provisional")
    await house.rows.reassessment(old.event)
    async with Assessments(house.pool).begin_revision(await taken(house.pool)) as revision:
        assert revision is not None
        assert (await house.service().run(False, SOMEBODY)).events_deleted == 0
        await revision.revise_event(by_model(), Severity.CRITICAL, BY_MODEL, NOW)
    assert (await house.service().run(False, SOMEBODY)).events_deleted == 1


async def test_a_dead_letter_has_its_own_days_from_when_it_died(house: House) -> None:
    house.delete_images = True
    old = await house.seen(OLD)
    await house.rows.delivery(await house.rows.alert(old.event), status="dead", died_at=FRESH)
    died = await house.rows.media(file=house.upload("front_door/d.jpg"), captured_at=OLD, state="dead", died_at=FRESH)
    batch = await house.rows.batch(state="dead", started_at=OLD, ended_at=OLD, died_at=FRESH)
    assert gone(await house.service().run(False, SOMEBODY)) == {}
    house.clock.advance(3 * 86_400)
    report = await house.service().run(False, SOMEBODY)
    assert (report.events_deleted, report.batches_deleted, report.media_deleted) == (1, 2, 2)
    assert await house.says("SELECT count(*) FROM media WHERE id = $1", died) == 0
    assert await house.says("SELECT count(*) FROM batches WHERE id = $1", batch) == 0


async def test_figures_and_lines_go_by_their_own_age_and_baselines_stay(house: House) -> None:
    for at in (OLD, FRESH):
        await house.gpu_sample(at)
    for days in (8, 6):
        await house.log(NOW - timedelta(days=days))
    await house.pool.execute("INSERT INTO baselines VALUES ('front_door', 'person', 1, 1, 1.0, 1, $1)", OLD)
    report = await house.service().run(False, SOMEBODY)
    assert gone(report) == {"gpu_stats_deleted": 1, "logs_deleted": 1}
    counts = await house.counts()
    assert (counts["gpu_stats"], counts["logs"], counts["baselines"]) == (1, 1, 1)


async def test_retention_is_read_live(house: House) -> None:
    await house.seen(FRESH)
    await house.pool.execute("INSERT INTO runtime_config (id, value) VALUES (1, $1)", {"retention_days": 10})
    report = await house.service().run(False, SOMEBODY)
    assert (report.events_deleted, report.retention_days) == (1, 10)
    assert report.deleted_before == NOW - timedelta(days=10)


async def scattered(house: House, seed: int) -> None:
    """Rows of every kind and state around the limits of their ages."""
    random = Random(seed)
    for number in range(40):
        at = NOW - timedelta(days=random.uniform(20, 40))
        seen = await house.seen(at)
        if number % 2:
            state = ("waiting", "assessing", "done", "dead")[number // 2 % 4]
            await house.rows.reassessment(seen.event, state=state)
        if random.random() < 0.3:
            seen.thumbnail.unlink()
        if random.random() < 0.4:
            seen.upload.unlink()
        elif random.random() < 0.2:
            seen.upload.write_bytes(b"overwritten")
        if random.random() < 0.5:
            status = random.choice(["queued", "sending", "delivered", "suppressed", "dead"])
            died = NOW - timedelta(days=random.uniform(0, 60)) if status == "dead" else None
            await house.rows.delivery(await house.rows.alert(seen.event), status=status, died_at=died)
        if random.random() < 0.3:
            state = random.choice(["open", "closed", "assessing", "dead", "assessed"])
            await house.pool.execute(
                "DELETE FROM deliveries d USING alerts a WHERE a.id = d.alert_id AND a.event_id = $1", seen.event
            )
            await house.pool.execute("DELETE FROM alerts WHERE event_id = $1", seen.event)
            await house.pool.execute("DELETE FROM events WHERE id = $1", seen.event)
            await house.pool.execute("UPDATE batches SET state = 'closed' WHERE state = 'open'")
            await house.pool.execute("UPDATE batches SET state = $2 WHERE id = $1", seen.batch, state)
        if random.random() < 0.3:  # one more detection, of an event of another day, in the same file
            other = await house.rows.batch(started_at=FRESH if random.random() < 0.5 else OLD)
            await house.thumbnail(await house.rows.detection(other, seen.media))
        if random.random() < 0.5:
            upload = house.upload(f"front_door/other-{number}.jpg")
            await house.rows.media(
                file=upload,
                captured_at=at,
                content_hash=os.urandom(32),
                state=random.choice(["queued", "detecting", "detected", "duplicate", "dead"]),
                duplicate_of=random.choice([None, seen.media]),
            )
            if random.random() < 0.5:
                upload.unlink()
        await house.gpu_sample(NOW - timedelta(days=random.uniform(20, 40)), number)
        await house.log(NOW - timedelta(days=random.uniform(5, 9)))


@pytest.mark.parametrize("seed", range(6))
async def test_a_dry_run_says_what_the_run_that_follows_deletes(house: House, seed: int) -> None:
    house.delete_images = seed % 2 == 0
    await scattered(house, seed)
    before = await house.counts()
    service = house.service()
    said = await service.run(True, SOMEBODY)
    assert await house.counts() == before
    assert said.job_id is None
    done = await service.run(False, SOMEBODY)
    assert gone(said) == gone(done)
    assert said.space_reclaimed == done.space_reclaimed
    assert min(gone(done).get(name, 0) for name in ("events_deleted", "thumbnails_deleted", "media_deleted")) > 0
    after = await house.counts()
    for table in set(TABLES) - {"deliveries", "baselines"}:
        assert before[table] - after[table] == done.model_dump()[f"{table}_deleted"], table
    assert gone(await service.run(True, SOMEBODY)) == {}
    assert gone(await service.run(False, SOMEBODY)) == {}


async def test_a_dry_run_leaves_no_trace(house: House) -> None:
    await house.seen(OLD)
    await house.service().run(True, SOMEBODY)
    assert await house.says("SELECT count(*) FROM cleanup_runs") == 0
    assert await house.says("SELECT count(*) FROM audit") == 0
    assert await house.frames(LiveChannel.JOBS) == ()


async def test_a_run_is_told_of_from_its_begin_to_its_end(house: House) -> None:
    old = await house.seen(OLD)
    report = await house.service().run(False, SOMEBODY)
    frames = await house.frames(LiveChannel.JOBS)
    assert [frame.type for frame in frames] == ["job.started", "job.progress", "job.completed"]
    assert {frame.data["job_id"] for frame in frames} == {report.job_id}
    assert frames[0].data["job_type"] == "cleanup"
    assert frames[-1].data["result"]["events_deleted"] == 1
    (deleted,) = await house.frames(LiveChannel.EVENTS)
    assert (deleted.type, deleted.data) == ("event.deleted", {"id": old.event, "reason": "retention"})


async def test_deleted_events_do_not_push_other_news_out_of_the_channel(house: House) -> None:
    await house.pool.execute(
        """
        WITH made AS (INSERT INTO batches (camera_id, state, started_at, ended_at, opened_at, last_activity_at)
                      SELECT 'front_door', 'assessed', $1, $1, $1, $1 FROM generate_series(1, 700) RETURNING id)
        INSERT INTO events (batch_id, camera_id, started_at, ended_at, risk_score, risk_level, summary, reasoning,
                            assessment, assessed_by, why, object_types, detection_count)
        SELECT id, 'front_door', $1, $1, 1, 'low', '', '', 'final', 'deterministic', '{}', '{}', 0 FROM made
        """,
        OLD,
    )
    report = await house.service().run(False, SOMEBODY)
    assert report.events_deleted == 700
    assert len(await house.frames(LiveChannel.EVENTS)) == 500


async def test_a_run_leaves_an_audit_row_with_its_counts_and_who_asked(house: House) -> None:
    await house.seen(OLD)
    report = await house.service().run(False, SOMEBODY)
    row = await house.pool.fetchrow("SELECT * FROM audit")
    assert row is not None
    assert (row["action"], row["resource_type"], row["resource_id"]) == ("cleanup_run", "cleanup", report.job_id)
    assert (row["actor"], row["status"]) == ("tester", "success")
    assert (row["details"]["events_deleted"], row["details"]["trigger"]) == (1, "request")


def _pausing(house: House, until: asyncio.Event) -> None:
    """The run stands still after its first step."""

    async def pause(_: float) -> None:
        await until.wait()

    house.pauses_by = pause


class Failing:
    """A pool whose connections refuse one statement."""

    def __init__(self, pool: Pool, statement: str) -> None:
        self._pool = pool
        self._statement = statement

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    async def acquire(self, **values: Any) -> Any:
        return FailingConnection(await self._pool.acquire(**values), self._statement)

    async def release(self, connection: Any) -> None:
        await self._pool.release(connection.real)


class FailingConnection:
    def __init__(self, real: Any, statement: str) -> None:
        self.real = real
        self._statement = statement

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def execute(self, query: str, *arguments: Any, **values: Any) -> Any:
        if query.startswith(self._statement):
            raise OSError("the connection was lost")
        return await self.real.execute(query, *arguments, **values)


async def test_a_run_that_fails_says_so_and_has_deleted_nothing_by_halves(house: House) -> None:
    old = await house.seen(OLD)
    service = house.service(Failing(house.pool, "DELETE FROM batches"))  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable):
        await service.run(False, SOMEBODY)
    assert (await house.counts())["detections"] == 1
    assert old.thumbnail.exists()
    frame = (await house.frames(LiveChannel.JOBS))[-1]
    assert (frame.type, frame.data["retryable"]) == ("job.failed", True)
    assert await house.says("SELECT status FROM cleanup_runs") == "failed"
    assert await house.says("SELECT status FROM audit") == "failure"
    assert (await house.service().run(False, SOMEBODY)).events_deleted == 1


async def test_a_second_job_is_refused_while_one_runs_which_goes_on_when_its_caller_leaves(house: House) -> None:
    await house.seen(OLD)
    going_on = asyncio.Event()
    _pausing(house, going_on)
    service = house.service()
    asked = asyncio.create_task(service.run(False, SOMEBODY))
    await eventually(lambda: _is_under_way(house))
    for dry_run in (True, False):
        with pytest.raises(CleanupRunning, match="a clean-up is running"):
            await service.run(dry_run, SOMEBODY)
        with pytest.raises(CleanupRunning):
            await service.orphans(dry_run, SOMEBODY)
    asked.cancel()
    going_on.set()
    await eventually(lambda: _has_ended(house))


async def test_two_services_over_one_database_do_not_run_at_once(house: House) -> None:
    await house.seen(OLD)
    going_on = asyncio.Event()
    _pausing(house, going_on)
    running = asyncio.create_task(house.service().run(False, SOMEBODY))
    await eventually(lambda: _is_under_way(house))
    with pytest.raises(CleanupRunning, match="cleanup job"):
        await house.service().run(False, SOMEBODY)
    going_on.set()
    assert (await running).events_deleted == 1


async def _is_under_way(house: House) -> bool:
    return bool(await house.says("SELECT count(*) FROM events") == 0)


async def _has_ended(house: House) -> bool:
    return bool(await house.says("SELECT count(*) FROM cleanup_runs WHERE status = 'completed'"))


async def test_the_daily_run_comes_at_its_time(house: House) -> None:
    await house.seen(OLD)
    await house.run_at(NOW - timedelta(hours=1))
    service = house.service()
    await service.start()
    await eventually(lambda: house.opened > 0)
    assert (await house.counts())["events"] == 1
    house.clock.advance(16 * 3600)
    await eventually(lambda: _is_recorded(house))
    await service.stop()
    assert await house.says("SELECT actor FROM audit") == "cleanup_service"


async def _is_recorded(house: House) -> bool:
    return bool(await house.says("SELECT count(*) > 0 FROM audit"))


async def test_a_run_that_was_missed_is_made_up_for_once(house: House) -> None:
    await house.seen(OLD)
    await house.run_at(NOW - timedelta(days=3))
    service = house.service()
    await service.start()
    await eventually(lambda: _is_under_way(house))
    await eventually(lambda: _has_looked_again(house))
    await service.stop()
    assert await house.says("SELECT count(*) FROM cleanup_runs") == 2


async def _has_looked_again(house: House) -> bool:
    return bool(await house.says("SELECT count(*) > 1 FROM cleanup_runs WHERE status = 'completed'"))


async def test_a_run_that_was_broken_off_counts_as_failed_and_comes_again_later(house: House) -> None:
    await house.run_at(NOW - timedelta(minutes=1), "running")
    await house.pool.execute("UPDATE schema_migrations SET applied_at = $1", NOW - timedelta(days=2))
    await house.seen(OLD)
    service = house.service()
    await service.start()
    await eventually(lambda: house.opened > 0)
    assert (await house.counts())["events"] == 1
    house.clock.advance(15 * 60)
    await eventually(lambda: _has_ended(house))
    await service.stop()
    assert await house.says("SELECT error FROM cleanup_runs WHERE status = 'failed'") == (
        "it was broken off: its process ended"
    )


async def test_a_service_that_is_stopped_in_the_middle_says_so(house: House) -> None:
    await house.seen(OLD)
    _pausing(house, asyncio.Event())
    service = house.service()
    running = asyncio.create_task(service.run(False, SOMEBODY))
    await eventually(lambda: _is_under_way(house))
    await service.stop()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await house.says("SELECT error FROM cleanup_runs") == "it was stopped"
    assert (await house.frames(LiveChannel.JOBS))[-1].type == "job.failed"


async def test_it_rests_after_each_step_as_long_as_the_step_was(house: House) -> None:
    for _ in range(FIRST_STEP.rows + 5):
        await house.seen(OLD)
    await house.service().run(False, SOMEBODY)
    assert len(house.pauses) >= 2
