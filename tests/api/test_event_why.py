"""GET /api/events/{event_id}/why: the whole chain, from the rows to the score and the alerts."""

import httpx
import pytest

from deployments.api.examples.whys import EVENT_WHY
from schemas.event_why import EventWhy
from tests.storage.provisional import provisional_event, revise, taken
from tests.storage.rows import Rows


@pytest.fixture(autouse=True)
async def _camera(rows: Rows) -> None:
    await rows.camera()


async def test_an_event_that_was_assessed_again_is_explained_with_what_stood_before(
    api: httpx.AsyncClient, rows: Rows
) -> None:
    event_id = await provisional_event(rows.pool)
    await revise(rows.pool, await taken(rows.pool), 90)
    answer = await api.get(f"/api/events/{event_id}/why")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    body = answer.json()
    assert (body["event_id"], body["risk_score"], body["assessment"]) == (event_id, 90, "final")
    assert (body["assessed_by"], body["risk_level"], body["reassessment"]["state"]) == ("nemotron", "critical", "done")
    (earlier,) = body["why"]["earlier"]
    assert (earlier["risk_score"], earlier["because"]) == (70, "the language model is away")
    assert earlier["replaced_at"] == "2025-12-23T12:00:00Z"


async def test_a_provisional_event_says_that_it_waits_and_why(api: httpx.AsyncClient, rows: Rows) -> None:
    event_id = await provisional_event(rows.pool)
    await rows.pool.execute("UPDATE reassessments SET state = 'dead', attempts = 3, reason = '<script>no JSON'")
    body = (await api.get(f"/api/events/{event_id}/why")).json()
    assert (body["assessment"], body["why"]["because"]) == ("provisional", "the language model is away")
    assert (body["reassessment"]["attempts"], body["reassessment"]["reason"]) == (3, "<script>no JSON")


async def test_an_event_of_an_earlier_version_is_explained_by_what_was_kept_then(
    api: httpx.AsyncClient, rows: Rows
) -> None:
    body = (await api.get(f"/api/events/{await rows.event()}/why")).json()
    assert body["why"]["factors"] == [{"name": "base", "points": 70.0, "because": "person seen"}]
    assert (body["why"]["model"], body["why"]["rules"], body["reassessment"]) == (None, [], None)


@pytest.mark.parametrize(("event_id", "status"), [("99999", 404), ("abc", 422), ("0", 422), (str(2**63), 422)])
async def test_what_is_no_event_has_no_explanation(api: httpx.AsyncClient, event_id: str, status: int) -> None:
    answer = await api.get(f"/api/events/{event_id}/why")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_chain_that_cannot_be_read_is_our_defect_and_the_event_is_still_answered(
    api: httpx.AsyncClient, rows: Rows
) -> None:
    event_id = await rows.event(why={"factors": 1})
    assert (await api.get(f"/api/events/{event_id}/why")).status_code == 500
    assert (await api.get(f"/api/events/{event_id}")).status_code == 200


def test_the_example_is_what_the_route_answers() -> None:
    assert EventWhy.model_validate(EVENT_WHY).model_dump(mode="json") == EVENT_WHY
