"""Three cameras that see drawn stories and upload pictures and clips of them, as cameras with an FTP account do."""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from demo.clips import encode_clip
from demo.light import Light, light_for
from demo.places import Place
from demo.scenes import Scene
from demo.stories import Story, delivery, random_story
from demo.uploads import Arrival, delete_oldest, upload, upload_name

CAMERAS: dict[str, Place] = {
    "Front Door": Place.FRONT_DOOR,
    "Driveway": Place.DRIVEWAY,
    "Backyard": Place.BACKYARD,
}
_LOG = logging.getLogger(__name__)
# The courier stands close to the camera from the first picture on, so that the first alert comes at once.
OPENING = (0.42, 0.48, 0.6, 0.8)
_PICTURES_A_STORY = 4
_CLIP_SHARE = 0.15
_QUIET_INTERVALS = (4.0, 12.0)
_ARRIVALS = ((Arrival.DOT_FILE, 0.45), (Arrival.PART, 0.35), (Arrival.DIRECT, 0.2))


@dataclass(frozen=True)
class _Showing:
    """One story as one camera sees it."""

    story: Story
    light: Light
    moments: tuple[float, ...]


class DemoCameras:
    """Plays one story after another before each camera until told to stop; the same seed plays the same stories.

    `interval_seconds` lies between two pictures of a story, and 4 to 12 times as long between two stories. A folder
    keeps the newest `keep_files` uploads, and all that are younger than `keep_seconds`. `chunk_seconds` is the pause
    after each 16 kB of an upload, `clip_share` the share of stories that end with a clip.
    """

    def __init__(
        self,
        root: Path,
        seed: int = 0,
        interval_seconds: float = 2.0,
        *,
        keep_files: int = 500,
        keep_seconds: float = 3600.0,
        chunk_seconds: float = 0.02,
        clip_share: float = _CLIP_SHARE,
    ) -> None:
        self._root = root
        self._seed = seed
        self._interval = interval_seconds
        self._keep_files = keep_files
        self._keep_seconds = keep_seconds
        self._chunk = chunk_seconds
        self._clip_share = clip_share
        self._failing: set[str] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Returns soon after `stop` is set; an upload under way is broken off and what was written taken away."""
        playing = [asyncio.create_task(self._play(number, name)) for number, name in enumerate(CAMERAS)]
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([stopped, *playing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopped, *playing):
                task.cancel()
            outcomes = await asyncio.gather(stopped, *playing, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def _play(self, number: int, name: str) -> None:
        rng = np.random.default_rng([self._seed, number])
        scene = await asyncio.to_thread(Scene, CAMERAS[name], seed=self._seed + number)
        if number == 0:
            story = delivery(rng, scene.view.nearest)
            await self._show(name, scene, _Showing(story, light_for(rng, story.dark), OPENING), rng)
        while True:
            await asyncio.sleep(self._interval * float(rng.uniform(*_QUIET_INTERVALS)))
            await self._show(name, scene, _random_showing(rng, scene), rng)

    async def _show(self, name: str, scene: Scene, showing: _Showing, rng: np.random.Generator) -> None:
        for moment in showing.moments:
            content = await asyncio.to_thread(_photograph, name, scene, showing, moment, rng)
            await self._send(name, ".jpg", content, rng)
            await asyncio.sleep(self._interval)
        if rng.random() < self._clip_share:
            content = await asyncio.to_thread(_film, name, scene, showing, rng)
            await self._send(name, ".mp4", content, rng)

    async def _send(self, name: str, suffix: str, content: bytes, rng: np.random.Generator) -> None:
        folder = self._root / name
        arrival = Arrival(str(rng.choice([kind for kind, _ in _ARRIVALS], p=[share for _, share in _ARRIVALS])))
        try:
            await upload(folder, upload_name(name, _now(), suffix), content, arrival, self._chunk)
            await asyncio.to_thread(delete_oldest, folder, self._keep_files, time.time() - self._keep_seconds)
        except OSError as error:
            # A full disk or a folder taken away ends one upload, not the camera; one line until it works again.
            if name not in self._failing:
                _LOG.warning("demo camera %s cannot upload, and tries again: %s", name, error)
            self._failing.add(name)
        else:
            if name in self._failing:
                _LOG.info("demo camera %s uploads again", name)
            self._failing.discard(name)


def _random_showing(rng: np.random.Generator, scene: Scene) -> _Showing:
    story = random_story(rng, scene.place, scene.view.nearest)
    moments = story.moments(_PICTURES_A_STORY)
    return _Showing(story, light_for(rng, story.dark), tuple(moments[:1] if story.name == "nobody" else moments))


def _photograph(name: str, scene: Scene, showing: _Showing, moment: float, rng: np.random.Generator) -> bytes:
    """One moment as a JPEG; the sensor's noise keeps even an empty night far above the 10 kB that the system takes."""
    picture, _ = scene.draw(rng, showing.story.figures_at(moment), showing.light, _caption(name))
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()


def _film(name: str, scene: Scene, showing: _Showing, rng: np.random.Generator) -> bytes:
    return encode_clip(showing.story, scene, showing.light, rng, _caption(name))


def _caption(name: str) -> str:
    return f"{name.upper()}  {_now():%Y-%m-%d %H:%M:%S}"


def _now() -> datetime:
    return datetime.now().astimezone()
