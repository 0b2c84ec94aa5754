"""When an upload is complete."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.file_stability import Observed, SettlingFiles, StabilityPolicy, kind, too_small
from schemas.media import MediaType

WALL = 1_700_000_000.0
LARGE = 50_000


def at(wall: float) -> int:
    return int(wall * 1e9)


def seen_new(files: SettlingFiles, path: str = "/c/a.jpg", size: int = LARGE, now: float = 100.0) -> Observed:
    """The file was written this very moment."""
    return files.observe(path, size, at(WALL + now), now, WALL + now)


@pytest.mark.parametrize("name", ["a.jpg", "A.JPEG", "x.png", "/cam/in.coming/b.Jpg", "two words.jpg", "\udcff.png"])
def test_pictures_are_known_by_their_extension_in_any_case(name: str) -> None:
    assert kind(name) is MediaType.IMAGE


@pytest.mark.parametrize("name", ["a.mp4", "a.MKV", "a.avi", "a.mov"])
def test_clips_are_known_by_their_extension(name: str) -> None:
    assert kind(name) is MediaType.VIDEO


@pytest.mark.parametrize(
    "name",
    [".a.jpg", ".a.jpg.X2k1", "a.jpg.part", "a.part", "a.tmp", "a.jpg~", "~a.jpg", "/c/.a.jpg", "a.gif", "jpg", ""],
)
def test_unfinished_uploads_and_other_files_are_no_candidates(name: str) -> None:
    assert kind(name) is None


@pytest.mark.parametrize(
    ("what", "least"), [(MediaType.IMAGE, 10_240), (MediaType.VIDEO, 1_024)], ids=["picture", "clip"]
)
def test_a_file_is_too_small_below_its_least_size(what: MediaType, least: int) -> None:
    assert too_small(what, least - 1)
    assert not too_small(what, least)


def test_a_new_file_settles_when_nothing_changed_for_two_seconds() -> None:
    files = SettlingFiles()
    seen_new(files, now=100)

    assert files.next_due() == 102
    assert files.take_settled(101.99) == []
    [settled] = files.take_settled(102)
    assert (settled.path, settled.size, settled.kind, settled.refused) == ("/c/a.jpg", LARGE, MediaType.IMAGE, None)
    assert settled.modified_ns == at(WALL + 100)


def test_a_settled_file_is_handed_out_once() -> None:
    files = SettlingFiles()
    seen_new(files)
    files.take_settled(200)

    assert files.take_settled(300) == []
    assert len(files) == 0
    assert files.next_due() is None


def test_a_file_that_keeps_growing_is_taken_when_it_settles() -> None:
    files = SettlingFiles()
    for second in range(100, 1000):
        seen_new(files, size=LARGE + second, now=second)
        assert files.take_settled(second) == []

    assert files.next_due() == 1001
    [settled] = files.take_settled(1001)
    assert settled.size == LARGE + 999


def test_a_rewrite_of_the_same_size_is_a_change() -> None:
    files = SettlingFiles()
    files.observe("/c/a.jpg", LARGE, at(WALL), 100, WALL)
    files.observe("/c/a.jpg", LARGE, at(WALL + 1.5), 101.5, WALL + 1.5)

    assert files.take_settled(103.4) == []
    assert len(files.take_settled(103.5)) == 1


def test_looking_again_at_an_unchanged_file_delays_nothing() -> None:
    files = SettlingFiles()
    for tenth in range(20):
        files.observe("/c/a.jpg", LARGE, at(WALL), 100 + tenth / 10, WALL + tenth / 10)

    assert len(files.take_settled(102)) == 1


@pytest.mark.parametrize("age", [2.1, 3600, 10**8])
def test_a_file_left_alone_before_it_was_seen_waits_for_the_debounce_only(age: float) -> None:
    files = SettlingFiles()
    files.observe("/c/a.jpg", LARGE, at(WALL - age), 100, WALL)

    assert files.take_settled(100.4) == []
    assert len(files.take_settled(100.5)) == 1


@pytest.mark.parametrize("age", [1.9, 0, -1, -(10**8)])
def test_a_file_written_just_now_or_in_the_future_waits_like_a_new_one(age: float) -> None:
    files = SettlingFiles()
    files.observe("/c/a.jpg", LARGE, at(WALL - age), 100, WALL)

    assert files.take_settled(101.9) == []
    assert len(files.take_settled(102)) == 1


def test_an_old_file_that_changes_after_all_must_be_stable_like_any_other() -> None:
    files = SettlingFiles()
    files.observe("/c/a.jpg", LARGE, at(WALL - 3600), 100, WALL)
    files.observe("/c/a.jpg", LARGE + 1, at(WALL - 3600), 100.4, WALL + 0.4)

    assert files.take_settled(102.3) == []
    assert len(files.take_settled(102.4)) == 1


def test_a_small_file_may_grow_into_a_picture() -> None:
    files = SettlingFiles()
    seen_new(files, size=0, now=100)
    assert files.take_settled(130) == []
    seen_new(files, size=LARGE, now=130)

    assert files.next_due() == 132
    [settled] = files.take_settled(132)
    assert settled.refused is None


def test_a_file_that_stays_too_small_is_refused_once_with_the_reason() -> None:
    files = SettlingFiles()
    seen_new(files, size=0, now=100)

    assert files.take_settled(159.9) == []
    [refused] = files.take_settled(160)
    assert refused.refused == "0 bytes: too small for a complete image (10240 at least)"
    assert files.take_settled(1000) == []


def test_a_file_that_shrinks_below_the_least_size_is_given_its_minute() -> None:
    files = SettlingFiles()
    seen_new(files, now=100)
    seen_new(files, size=5, now=101)

    assert files.take_settled(150) == []
    [refused] = files.take_settled(161)
    assert refused.refused is not None


def test_an_old_file_that_is_too_small_has_had_its_minute() -> None:
    files = SettlingFiles()
    files.observe("/c/a.mp4", 3, at(WALL - 61), 100, WALL)

    [refused] = files.take_settled(100.5)
    assert refused.refused is not None


def test_a_deleted_file_is_forgotten() -> None:
    files = SettlingFiles()
    seen_new(files)
    files.forget("/c/a.jpg")
    files.forget("/c/never.jpg")

    assert files.next_due() is None
    assert files.take_settled(1000) == []


def test_a_file_deleted_and_written_again_waits_its_own_time() -> None:
    files = SettlingFiles()
    seen_new(files, now=100)
    files.forget("/c/a.jpg")
    seen_new(files, now=101)

    assert files.take_settled(102.5) == []
    assert len(files.take_settled(103)) == 1


def test_no_more_files_are_watched_than_the_policy_allows() -> None:
    files = SettlingFiles(StabilityPolicy(most_files=2))

    assert [seen_new(files, f"/c/{n}.jpg") for n in range(3)] == [Observed.WATCHED, Observed.WATCHED, Observed.NO_ROOM]
    files.take_settled(200)
    assert seen_new(files, "/c/2.jpg", now=200) is Observed.WATCHED


def test_what_is_no_upload_is_not_watched() -> None:
    files = SettlingFiles()

    assert seen_new(files, "/c/.hidden.jpg") is Observed.IGNORED
    assert len(files) == 0


def test_files_come_and_go_without_leaving_anything_behind() -> None:
    files = SettlingFiles()
    for n in range(5_000):
        seen_new(files, f"/c/{n}.jpg", now=100)
        files.forget(f"/c/{n}.jpg")

    assert len(files._queue) < 200


steps = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([0, 5_000, 20_000, 30_000, None]), st.floats(0, 40)), max_size=60
)


@given(steps)
def test_next_due_is_exactly_when_the_next_file_is_handed_out(history: list[tuple[int, int | None, float]]) -> None:
    files, now, present = SettlingFiles(), 0.0, set[str]()
    for number, size, pause in history:
        path = f"/c/{number}.jpg"
        if size is None:
            files.forget(path)
            present.discard(path)
        else:
            files.observe(path, size, at(WALL + now), now, WALL + now)
            present.add(path)
        due = files.next_due()
        assert (due is None) == (not present)
        if due is not None and due <= now + pause:
            assert files.take_settled(due - 1e-3) == []
            taken = files.take_settled(due)
            assert taken
            present -= {file.path for file in taken}
            now = due
        else:
            now += pause
            assert files.take_settled(now) == []
        assert len(files) == len(present)
