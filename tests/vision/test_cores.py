"""How many cores may be used."""

import os
from pathlib import Path

import pytest

from vision.cores import usable_cores

AFFINITY = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("150000 100000", min(2, AFFINITY)),
        ("6400000 100000", AFFINITY),
        ("max 100000", AFFINITY),
        ("nonsense", AFFINITY),
    ],
)
def test_a_containers_quota_counts_where_it_is_less(tmp_path: Path, quota: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    assert usable_cores(tmp_path / "cpu.max") == cores


def test_without_a_quota_the_affinity_counts(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "absent") == AFFINITY
