"""The examples of health, statistics, performance and latency are what the system would answer."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from deployments.api.examples import health, latency, performance, statistics
from deployments.api.views.health import FullHealth, HealthReport, WebSocketHealth
from deployments.api.views.latency import LatencyHistory, PipelineLatency
from deployments.api.views.performance import Performance, PerformanceHistory
from deployments.api.views.statistics import GpuFigure, GpuHistory, SystemStats, Telemetry
from deployments.api.views.storage_use import StorageUse


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (HealthReport, health.HEALTH),
        (FullHealth, health.FULL_HEALTH),
        (WebSocketHealth, health.WEBSOCKET_HEALTH),
        (GpuFigure, statistics.GPU),
        (GpuHistory, statistics.GPU_HISTORY),
        (SystemStats, statistics.STATS),
        (StorageUse, statistics.STORAGE),
        (Telemetry, statistics.TELEMETRY),
        (Performance, performance.PERFORMANCE),
        (PerformanceHistory, performance.PERFORMANCE_HISTORY),
        (PipelineLatency, latency.LATENCY),
        (LatencyHistory, latency.LATENCY_HISTORY),
    ],
)
def test_every_example_is_what_the_system_would_answer(model: type[BaseModel], example: dict[str, Any]) -> None:
    assert json.loads(model.model_validate(example).model_dump_json()) == example
