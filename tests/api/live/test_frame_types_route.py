"""GET /api/system/websocket/events: the registry as clients read it."""

import httpx
from jsonschema import Draft202012Validator

from deployments.api.examples.frames import FRAME_TYPES
from deployments.api.views.frame_types import FrameTypes
from schemas.frame import LiveChannel
from schemas.frame_types import CHANNEL_OF

URL = "/api/system/websocket/events"
FIELDS = {"type", "channel", "description", "deprecated", "replacement", "payload_schema", "example"}


async def test_it_lists_the_24_types_and_the_six_channels(api: httpx.AsyncClient) -> None:
    answer = await api.get(URL)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"event_types", "channels", "total_count", "deprecated_count"}
    assert body["channels"] == ["detections", "events", "alerts", "cameras", "jobs", "system"]
    assert (body["total_count"], body["deprecated_count"]) == (24, 2)
    assert {one["type"]: LiveChannel(one["channel"]) for one in body["event_types"]} == CHANNEL_OF


async def test_each_type_is_described_with_a_schema_that_its_example_satisfies(api: httpx.AsyncClient) -> None:
    for one in (await api.get(URL)).json()["event_types"]:
        assert set(one) == FIELDS
        assert one["description"]
        Draft202012Validator.check_schema(one["payload_schema"])
        Draft202012Validator(one["payload_schema"]).validate(one["example"])


async def test_the_deprecated_ones_say_what_to_use_instead(api: httpx.AsyncClient) -> None:
    types = (await api.get(URL)).json()["event_types"]
    assert {one["type"]: one["replacement"] for one in types if one["deprecated"]} == {
        "event": "event.created",
        "service_status": "service.status_changed",
    }
    assert all(one["replacement"] is None for one in types if not one["deprecated"])


async def test_it_is_answered_without_any_store(api_without_stores: httpx.AsyncClient) -> None:
    assert (await api_without_stores.get(URL)).status_code == 200


def test_the_example_is_an_answer() -> None:
    FrameTypes.model_validate(FRAME_TYPES)
