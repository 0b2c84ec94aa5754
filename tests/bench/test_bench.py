"""The benchmarks measure what they say: the same files, the same boxes, right percentiles, every process named."""

import json
import os
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.yolo_detector import YoloDetector
from bench.__main__ import main
from bench.bare import BareLoop
from bench.figures import Table, median, percentile
from bench.models import demo_model
from bench.pictures import CAMERAS, drawn_pictures, marked, staged_pictures
from bench.pipeline import DEBOUNCE_SECONDS, PipelineRun
from bench.processes import BENCH, CpuMeter, CpuUse, display_name, memory_by_name, system_processes
from bench.profile import self_and_inclusive
from bench.running import RunningSystem, SystemFailed, work_folder
from bench.start import forget_files
from bench.throughput import PREPARES, Round, cpu_table, rates_table
from domain.file_stability import Observed, SettlingFiles, too_small
from schemas.media import MediaType
from vision.reading import read_picture


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return drawn_pictures(tmp_path_factory.mktemp("bench"), 6)


@pytest.fixture(scope="module")
def loop() -> BareLoop:
    return BareLoop(demo_model().weights, 0.5)


def test_the_bare_loop_finds_the_boxes_that_the_systems_detector_finds(drawn: list[Path], loop: BareLoop) -> None:
    detector = YoloDetector(demo_model().weights, device="cpu", confidence=0.5)
    detector.start()
    compared = 0
    for path in drawn:
        found = detector.detect(path)
        rows = loop.boxes(path)
        assert [one.object_type for one in found] == [loop.names[int(row[5])] for row in rows]
        sides = [
            (one.bbox.x, one.bbox.y, one.bbox.x + one.bbox.width, one.bbox.y + one.bbox.height, one.confidence)
            for one in found
        ]
        np.testing.assert_allclose(rows[:, :5], np.reshape(sides, (-1, 5)), atol=1e-3)
        compared += len(found)
    detector.stop()
    assert compared > 0


def test_all_lanes_together_look_at_every_file_once(drawn: list[Path], loop: BareLoop) -> None:
    run = loop.run(drawn)
    assert run.pictures == len(drawn)
    assert run.boxes == sum(len(loop.boxes(path)) for path in drawn)
    assert run.prepare_cpu_seconds > 0
    assert run.model_cpu_seconds > 0


def test_one_after_the_other_gives_a_time_for_each_file(drawn: list[Path], loop: BareLoop) -> None:
    assert len(loop.seconds_each(drawn)) == len(drawn)


def test_staged_files_are_the_drawn_pictures_in_bytes_of_their_own(drawn: list[Path], tmp_path: Path) -> None:
    staged = staged_pictures(drawn[:2], tmp_path / "staged", "round0", 8)
    contents = [picture.path.read_bytes() for picture in staged]
    assert len(set(contents)) == 8
    assert not any(too_small(MediaType.IMAGE, len(content)) for content in contents)
    np.testing.assert_array_equal(read_picture(contents[2]).pixels, read_picture(drawn[0]).pixels)
    assert {picture.camera for picture in staged} == set(CAMERAS)


def test_only_a_jpeg_can_be_marked() -> None:
    with pytest.raises(ValueError, match="no JPEG"):
        marked(b"\x89PNG", "1")


def test_a_placed_file_waits_for_the_debounce_only(drawn: list[Path], tmp_path: Path) -> None:
    picture = staged_pictures(drawn[:1], tmp_path / "staged", "one", 1)[0]
    (tmp_path / "cameras" / picture.camera).mkdir(parents=True)
    picture.grow_old()
    path = picture.place(tmp_path / "cameras")
    status, settling = path.stat(), SettlingFiles()
    now = status.st_mtime + 5.0
    assert settling.observe(str(path), status.st_size, status.st_mtime_ns, 100.0, now) is Observed.WATCHED
    assert settling.next_due() == 100.0 + DEBOUNCE_SECONDS


def test_files_are_forgotten_without_harm_to_them(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_text("content")
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    forget_files(tmp_path)
    assert (tmp_path / "deep" / "file").read_text() == "content"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.floats(0, 100))
def test_percentiles_are_those_of_numpy(values: list[float], percent: float) -> None:
    assert percentile(values, percent) == pytest.approx(float(np.percentile(values, percent)), abs=1e-6)


def test_the_median_of_an_even_number_lies_between_the_two_in_the_middle() -> None:
    assert median([4.0, 1.0, 3.0, 2.0]) == 2.5


def test_there_is_no_percentile_of_nothing_nor_beyond_a_hundred() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)
    with pytest.raises(ValueError, match="between 0 and 100"):
        percentile([1.0], 101)


def test_a_table_keeps_its_columns_in_line() -> None:
    text = Table("Title", ("", "ms"), [("a long name", "1.0"), ("b", "100.0")], ("a note",)).text()
    assert text.splitlines() == [
        "## Title",
        "                ms",
        "───────────  ─────",
        "a long name    1.0",
        "b            100.0",
        "   a note",
    ]


def test_every_process_of_a_system_has_one_name() -> None:
    def named(title: str, program: str = "python3.11") -> str:
        return display_name(title.split(" "), program)

    assert named("ray::DetectionWorker.health") == "DetectionWorker"
    assert named("ray::ServeReplica:home-security:yolo_detector.handle_request") == "replica yolo_detector"
    assert named("ray::IDLE") == "IDLE"
    assert named("postgres: hsi hsi 127.0.0.1(4242) idle", "postgres: hsi hsi 127.0.0.1(4242) idle") == "postgres"
    assert named("/v/bin/python -u /v/ray/_private/runtime_env/agent/main.py --x") == "ray runtime_env agent"
    assert named("/v/bin/python3.11 /v/bin/hsi up") == "hsi up"
    assert named("/v/ray/core/src/ray/raylet/raylet --a=b", "raylet") == "raylet"


def test_the_meter_counts_what_a_process_of_the_system_computes(tmp_path: Path) -> None:
    meter = CpuMeter(os.getpid(), tmp_path)
    stop = threading.Event()
    spinning = threading.Thread(target=lambda: [None for _ in iter(stop.is_set, True)])
    spinning.start()
    try:
        use = meter.read()
        while use.by_name[BENCH] < 0.2:
            use = meter.read()
    finally:
        stop.set()
        spinning.join()
    own = sum(seconds for name, seconds in use.by_name.items() if name != BENCH)
    assert own >= use.by_name[BENCH] - 0.1  # and the stores of other tests, which this process started
    assert use.idle >= 0


def test_memory_is_summed_by_name(tmp_path: Path) -> None:
    processes = system_processes(os.getpid(), tmp_path)
    memory = memory_by_name(processes)
    assert sum(one.processes for one in memory) == len(processes) >= 1
    assert all(one.pss_bytes > 0 for one in memory)


def test_samples_are_told_in_the_function_itself_and_in_what_calls_it() -> None:
    alone, inclusive = self_and_inclusive(["main;work;read 3", "main;work 2", "main;work;work 1", "", "no number x"])
    assert alone == {"read": 3, "work": 3}
    assert inclusive == {"main": 6, "work": 6, "read": 3}


def test_a_thread_that_waits_for_work_is_not_counted() -> None:
    alone, _ = self_and_inclusive(["main;Condition.wait (threading.py:295) 50", "main;read (vision/reading.py:1) 5"])
    assert alone == {"read (vision/reading.py:1)": 5}


def _round(loop: BareLoop, drawn: list[Path]) -> Round:
    cpu = CpuUse(2.0, {PREPARES: 1.0, "postgres": 0.5}, others=0.25, idle=0.25)
    return Round(loop.run(drawn), PipelineRun(60, 0.6, 0.7, 2.5, 12, cpu))


def test_the_pipelines_rate_is_told_with_and_without_the_debounce(drawn: list[Path], loop: BareLoop) -> None:
    one = _round(loop, drawn).pipeline
    assert one.pictures_a_second == pytest.approx(60 / 2.5)
    assert one.without_debounce == pytest.approx(60 / 2.0)
    assert one.from_first_row == pytest.approx(60 / 1.9)


def test_the_tables_of_a_round_tell_the_ratio_and_where_the_time_went(drawn: list[Path], loop: BareLoop) -> None:
    one = _round(loop, drawn)
    rates = rates_table(demo_model(), [one])
    ratio = one.pipeline.pictures_a_second / one.bare.pictures_a_second
    assert rates.rows[1][4] == f"{ratio:.2f}"
    spent = {row[0]: row[1] for row in cpu_table(demo_model(), [one]).rows}
    assert spent["postgres"] == f"{0.5e3 / 60:.2f}"
    assert spent["all of it"] == f"{1.5e3 / 60:.2f}"


def test_the_command_prints_the_machine_and_a_table_and_writes_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "figures.json"
    arguments = ["bare", "--quick", "--pictures", "4", "--model", "demo", "--json", str(figures)]
    assert main([*arguments, "--cache", str(tmp_path / "cache")]) == 0
    printed = capsys.readouterr().out
    assert "onnxruntime" in printed
    assert re.search(r"demo model, 192×320 +[\d.]+", printed)
    found = json.loads(figures.read_text())
    assert found["bare"]["demo"][0]["pictures"] == 4
    assert found["machine"]["cores"] >= 1


def test_a_benchmark_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["speed"]) == 2
    assert "there is no benchmark speed" in capsys.readouterr().err


def test_a_case_that_is_not_there_is_named_beside_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["llm", "--cases", "huge model"]) == 1
    assert "no case is called 'huge model': there are tiny model, 1 in flight" in capsys.readouterr().err


def test_a_system_that_does_not_start_is_an_error_with_what_it_said() -> None:
    with work_folder() as work:
        (work / "data" / "run" / "system.lock").mkdir(parents=True)  # where the system would write its lock
        with pytest.raises(SystemFailed, match="cannot be written"):
            RunningSystem(work, demo_model().weights).start()
