"""NVML as a shared library that this test builds: pynvml's own calls cross into C, and a card may fall off the bus."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = r"""
#include <stdlib.h>
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned long long version_; unsigned long long total, reserved, free, used; } memory_v2_t;
typedef struct { unsigned int gpu, memory; } utilization_t;
typedef struct { unsigned int pid; unsigned long long used; unsigned int gi, ci; } process_t;
static int lost(void) { const char *index = getenv("LOST_GPU"); return index ? atoi(index) : -1; }
static int restarting(void) { return getenv("DRIVER_RESTARTS") != NULL; }
int nvmlInit_v2(void) { return restarting() ? 9 : 0; }
int nvmlInitWithFlags(unsigned int flags) { return restarting() ? 9 : 0; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return "made by a test"; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
    if ((int)index == lost()) return 15;  /* NVML_ERROR_GPU_IS_LOST */
    *device = (void *)(size_t)(index + 1);
    return 0;
}
int nvmlDeviceGetName(void *device, char *name, unsigned int length) {
    strncpy(name, device == (void *)1 ? "NVIDIA One" : "NVIDIA Two", length);
    return 0;
}
int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    memory->total = 8ULL << 30; memory->used = 2ULL << 30; memory->free = 6ULL << 30;
    return 0;
}
int nvmlDeviceGetUtilizationRates(void *device, utilization_t *rates) { rates->gpu = 37; rates->memory = 5; return 0; }
int nvmlDeviceGetTemperature(void *device, int sensor, unsigned int *celsius) { *celsius = 61; return 0; }
int nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts) { return 3; /* not supported */ }
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned int *count, process_t *processes) {
    unsigned int room = *count;
    *count = 1;
    if (room < 1) return 7;  /* NVML_ERROR_INSUFFICIENT_SIZE */
    processes[0].pid = 4242; processes[0].used = 512ULL << 20;
    return 0;
}
"""
ASK = """
from actors.nvml import process_memory_mb, sample_gpus
for sample in sample_gpus():
    print(sample)
print(process_memory_mb(4242, "cuda:0"), process_memory_mb(1, "cuda:0"))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler, "this test builds a C library: install a C compiler"
    folder = tmp_path_factory.mktemp("nvml")
    (folder / "nvml.c").write_text(SOURCE)
    target = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", target, folder / "nvml.c"], check=True, capture_output=True)
    return folder


def _asked(library: Path, **environment: str) -> list[str]:
    """In a process of its own, which finds this library as the driver's."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env=os.environ | {"LD_LIBRARY_PATH": str(library), "PYTHONPATH": os.getcwd()} | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


def test_every_card_is_read_through_the_library(library: Path) -> None:
    one, two, memory = _asked(library)
    assert one == (
        "GpuSample(index=0, name='NVIDIA One', utilization=37.0, memory_used_mb=2048, memory_total_mb=8192, "
        "temperature_celsius=61.0, power_watts=None)"
    )
    assert "index=1, name='NVIDIA Two'" in two
    assert memory == "1024 None"  # on both cards; and nothing is told of a process that is on none


def test_a_card_that_falls_off_the_bus_is_left_out(library: Path) -> None:
    samples = _asked(library, LOST_GPU="0")
    assert len(samples) == 2
    assert "index=1" in samples[0]


def test_a_driver_that_restarts_shows_no_card(library: Path) -> None:
    assert _asked(library, DRIVER_RESTARTS="1") == ["None None"]
