import asyncio, time
import redis.asyncio
from language.errors import ModelAway
from storage.postgres import Pool
from tests.actors.model_desk import ModelDesk
from tests.actors.scripted_model import answer, reply, ScriptedModel
from actors.model_assessor import BREAKER

async def test_recovery(database: Pool, redis_client: redis.asyncio.Redis) -> None:
    desk = ModelDesk(database, database, redis_client, slots=8, model=ScriptedModel(usual=ModelAway("it loads")))
    object.__setattr__(desk.language, "look_seconds", 2.0)
    object.__setattr__(desk.language, "away_pause_seconds", 60.0)
    desk.worker = desk.another_life()
    await desk.camera()
    desk.model.described = {"loaded": False}
    for n in range(100):
        await desk.closed(*(["person"] * (1 + n % 3)))
    t = time.monotonic()
    await desk.worker.start()
    while not await desk.has("provisional", 100):
        await asyncio.sleep(0.05)
    print("100 provisional after", round(time.monotonic() - t, 1), "asked", len(desk.model.questions), [b.state for b in await desk.breakers.status()])
    async def slow(question):
        await asyncio.sleep(0.5)
        return reply(question, answer(question, 50))
    asked0 = len(desk.model.questions)
    desk.model.usual, desk.model.described = slow, {"loaded": True, "status": "healthy"}
    t = time.monotonic(); first = None
    fresh = 0
    while not await desk.has("final", 100 + fresh):
        if first is None and len(desk.model.questions) > asked0:
            first = time.monotonic() - t
        if time.monotonic() - t > 120: break
        await asyncio.sleep(0.05)
    print("first asked after", first, "all final after", round(time.monotonic() - t, 1), "rejected", desk.breakers.rejected, "most in flight", desk.model.most_in_flight, "updated", len(await desk.told("event.updated")), "asked", len(desk.model.questions)-asked0)
    await desk.worker.stop()
