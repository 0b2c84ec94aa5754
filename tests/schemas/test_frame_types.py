"""The registry of live frames: the 24 types of the contract, each with a schema that its example satisfies."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.frame import LiveChannel
from schemas.frame_types import CHANNEL_OF, PAYLOADS, JobCompleted, Payload, SystemStatus, frame

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "domain", "storage", "vision", "notify", "actors", "deployments", "launch", "demo")
DOCUMENTED = {
    "detection.new": ("detections", "detection_id camera_id batch_id label confidence bbox timestamp"),
    "detection.batch": ("detections", "batch_id camera_id detection_count started_at closed_at close_reason"),
    "event.created": (
        "events",
        "id batch_id camera_id risk_score risk_level summary reasoning started_at assessment",
    ),
    "event.updated": ("events", "id updated_fields risk_score risk_level"),
    "event.deleted": ("events", "id reason"),
    "scene_change.detected": ("events", "id camera_id detected_at change_type similarity_score"),
    "event": ("events", "id batch_id camera_id risk_score risk_level summary reasoning started_at assessment"),
    "alert.created": ("alerts", "id event_id rule_id severity status dedup_key message created_at"),
    "alert.updated": ("alerts", "id event_id rule_id severity status updated_at"),
    "alert.acknowledged": ("alerts", "id event_id acknowledged_at"),
    "alert.resolved": ("alerts", "id event_id resolved_at"),
    "alert.dismissed": ("alerts", "id event_id dismissed_at reason"),
    "camera.status_changed": ("cameras", "camera_id camera_name status previous_status reason timestamp"),
    "camera.enabled": ("cameras", "camera_id enabled_at"),
    "camera.disabled": ("cameras", "camera_id disabled_at reason"),
    "job.started": ("jobs", "job_id job_type started_at"),
    "job.progress": ("jobs", "job_id progress message"),
    "job.completed": ("jobs", "job_id completed_at result"),
    "job.failed": ("jobs", "job_id failed_at error retryable"),
    "system.health_changed": ("system", "health previous_health components"),
    "system.status": ("system", "gpu cameras queue health"),
    "gpu.stats_updated": ("system", "utilization memory_used memory_total temperature inference_fps"),
    "service.status_changed": ("system", "service status previous_status message"),
    "service_status": ("system", "service status message"),
}
BY_TYPE = {payload.frame_type: payload for payload in PAYLOADS}
each_type = pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.frame_type)


def test_the_types_and_their_channels_are_those_of_the_contract() -> None:
    assert {name: LiveChannel(channel) for name, (channel, _) in DOCUMENTED.items()} == CHANNEL_OF
    assert len(PAYLOADS) == len(CHANNEL_OF) == 24


@each_type
def test_the_data_has_the_documented_fields(payload: type[Payload]) -> None:
    assert set(payload.model_fields) == set(DOCUMENTED[payload.frame_type][1].split())


@each_type
def test_an_example_satisfies_its_own_schema(payload: type[Payload]) -> None:
    schema = payload.model_json_schema(mode="serialization")
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(payload.example)


@each_type
def test_the_schema_refuses_what_a_frame_would_never_carry(payload: type[Payload]) -> None:
    checked = Draft202012Validator(payload.model_json_schema(mode="serialization"))
    for field in payload.example:
        short: dict[str, Any] = {name: value for name, value in payload.example.items() if name != field}
        assert not checked.is_valid(short), field
        assert not checked.is_valid(payload.example | {field: [object]}), field
    assert not checked.is_valid(payload.example | {"extra": 1})


@each_type
def test_what_is_sent_is_what_the_example_shows(payload: type[Payload]) -> None:
    made = frame(payload.model_validate(payload.example))
    assert (made.type, made.channel, made.data) == (payload.frame_type, payload.channel, payload.example)


@each_type
def test_every_type_is_described(payload: type[Payload]) -> None:
    assert (payload.__doc__ or "").endswith(".")


def test_two_types_are_deprecated_and_say_what_replaces_them() -> None:
    replaced = {name: payload.replacement for name, payload in BY_TYPE.items() if payload.replacement}
    assert replaced == {"event": "event.created", "service_status": "service.status_changed"}


def test_times_are_told_as_times() -> None:
    schema = JobCompleted.model_json_schema(mode="serialization")
    assert schema["properties"]["completed_at"]["format"] == "date-time"


def test_a_figure_that_nobody_measured_is_null_and_not_left_out() -> None:
    nothing = {
        "gpu": dict.fromkeys(SystemStatus.example["gpu"]),
        "cameras": dict.fromkeys(SystemStatus.example["cameras"]),
        "queue": dict.fromkeys(SystemStatus.example["queue"]),
        "health": "unhealthy",
    }
    Draft202012Validator(SystemStatus.model_json_schema(mode="serialization")).validate(nothing)
    assert frame(SystemStatus.model_validate(nothing)).data == nothing


def test_no_frame_is_made_by_hand() -> None:
    """`frame(payload)` is the one way, so that what is sent is as its schema says."""
    assert _called("NewFrame") == ["schemas/frame_types/payload.py"]


@each_type
def test_every_type_is_made_somewhere_in_the_program(payload: type[Payload]) -> None:
    assert payload.__name__ in _names()


@cache
def _trees() -> dict[str, ast.Module]:
    """Every module of the program but the registry itself, which only lists."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    registry = ROOT / "schemas" / "frame_types" / "__init__.py"
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths if path != registry
    }


@cache
def _names() -> set[str]:
    """Every name that is used as a value, imports aside."""
    return {node.id for tree in _trees().values() for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _called(name: str) -> list[str]:
    return [
        where
        for where, tree in _trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]
