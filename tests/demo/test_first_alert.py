"""The demo's first alert comes at any time of day: what it opens with is worth reviewing even at noon."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from demo.cameras import OPENING
from demo.light import light_for
from demo.places import Place
from demo.scenes import Scene
from demo.stories import delivery
from domain.risk import assess
from schemas.assessment import Evidence
from schemas.batch import ClaimedBatch
from schemas.detection import BoundingBox, Detection
from schemas.media import MediaType
from schemas.runtime_config import RuntimeConfig

NOON = datetime(2025, 6, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("seed", [0, 1, 7])
@pytest.mark.parametrize("pictures", [1, len(OPENING)])
def test_the_opening_scores_medium_at_noon_from_its_first_picture_on(seed: int, pictures: int) -> None:
    rng, scene = np.random.default_rng([seed, 0]), Scene(Place.FRONT_DOOR, seed=seed)
    story = delivery(rng, scene.view.nearest)
    detections: list[Detection] = []
    for number, moment in enumerate(OPENING[:pictures]):
        picture, drawn = scene.draw(rng, story.figures_at(moment), light_for(rng, story.dark), "")
        detections += [
            Detection(
                id=10 * number + place,
                camera_id="front_door",
                file_path=f"/cameras/front_door/{number}.jpg",
                media_type=MediaType.IMAGE,
                detected_at=NOON + timedelta(seconds=2 * number),
                object_type=one.object_type,
                confidence=0.75,
                bbox=BoundingBox(x=one.x, y=one.y, width=one.width, height=one.height),
                batch_id="b",
                event_id=None,
                picture_width=picture.shape[1],
                picture_height=picture.shape[0],
            )
            for place, one in enumerate(drawn)
        ]
    batch = ClaimedBatch(
        id="b",
        camera_id="front_door",
        camera_name="Front Door",
        started_at=NOON,
        ended_at=detections[-1].detected_at,
        closed_at=NOON + timedelta(seconds=30),
        detection_count=len(detections),
        attempts=1,
        lease="w/1",
    )
    config = RuntimeConfig()
    evidence = Evidence(batch=batch, detections=tuple(detections), unusual=(), timezone="UTC")

    assert assess(evidence, config).risk_score > config.severity.low_max
