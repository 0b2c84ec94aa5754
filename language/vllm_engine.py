"""A language model on vLLM's engine in this process, with the engine's core and workers as its children.

start ──thread──▶ folder looked at ─▶ import vllm ─▶ AsyncLLM ─▶ core process ─▶ workers
ask ──▶ chat as tokens ──▶ generate (priority, grammar of the answer) ──▶ Reply
         too long: refused      cancelled or late: aborted      core dead: ModelAway, and `fault` says so
"""

import asyncio
import contextlib
from typing import Any

from domain.clock import Clock, SystemClock
from language.engine_build import Building, Engine
from language.engine_faults import death_cause, start_fault
from language.engine_files import EngineFiles
from language.engine_plan import EnginePlan
from language.engine_processes import EngineProcesses
from language.engine_request import answer_sampling, opened_pictures, thought_sampling
from language.errors import ModelAway, ModelTooSlow, QuestionRefused
from language.model_folder import shown_name
from schemas.language import Question, Reply

_GRACE_SECONDS = 5
"""For vLLM to end by itself after it wrote that its start failed."""
_FAREWELL_SECONDS = 1.0
"""For a question that is given up to leave the engine."""
_STOPPED = "the engine was stopped while it loaded"


class VllmEngine:
    """See Backend. When this process dies, the engine's processes end with it and only the questions in flight go."""

    def __init__(self, plan: EnginePlan, clock: Clock | None = None) -> None:
        self._plan = plan
        self._clock = clock or SystemClock()
        self._engine: Engine | None = None
        self._building: asyncio.Future[Engine] | None = None
        self._processes: EngineProcesses | None = None
        self._files: EngineFiles | None = None
        self._asking: set[asyncio.Task[Reply]] = set()
        self._ending = asyncio.Lock()

    async def start(self) -> None:
        """The last of several at once holds: the others are told that the engine was stopped while it loaded."""
        while self._processes is not None or self._ending.locked():
            await self.stop()
        self._files = EngineFiles()
        self._processes = EngineProcesses()
        files, build = self._files, Building(self._plan)
        building = self._building = asyncio.ensure_future(asyncio.to_thread(build.run))
        try:
            engine = await self._built(building, files, self._processes)
        except Exception as error:
            if self._building is not building:
                raise ModelAway(_STOPPED) from error
            fault = (
                error if isinstance(error, ModelAway) else start_fault(self._plan, build.device, error, files.text())
            )
            await self.stop()
            raise fault from error
        if self._building is not building:
            raise ModelAway(_STOPPED)
        self._engine, self._building = engine, None
        self._processes.see()

    async def stop(self) -> None:
        """Also ends a start that is under way: its core is killed, upon which vLLM gives up."""
        async with self._ending:
            await self._end()

    async def _end(self) -> None:
        engine, self._engine = self._engine, None
        building, self._building = self._building, None
        if building is not None:
            engine = await self._given_up(building)
        if self._asking:  # vLLM's own end may leave them waiting for an engine that is gone
            asking = set(self._asking)
            for work in asking:
                work.cancel()
            await asyncio.wait(asking, timeout=_FAREWELL_SECONDS)
        if engine is not None:
            with contextlib.suppress(Exception):
                await asyncio.to_thread(engine.llm.shutdown)
        if self._processes is not None:
            await asyncio.to_thread(self._processes.end)
        if self._files is not None:
            self._files.close()
        self._processes = self._files = None

    async def ask(self, question: Question) -> Reply:
        engine = self._running()
        work = asyncio.ensure_future(self._answered(engine, question, self._clock.monotonic()))
        self._asking.add(work)
        work.add_done_callback(self._no_longer_asking)
        try:
            done, _ = await asyncio.wait({work}, timeout=question.within_seconds)
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait({work}, timeout=_FAREWELL_SECONDS)
            raise
        if not done:
            work.cancel()
            await asyncio.wait({work}, timeout=_FAREWELL_SECONDS)
            raise ModelTooSlow(question.within_seconds)
        if work.cancelled():
            raise ModelAway("the engine was stopped while it answered")
        try:
            return work.result()
        except TimeoutError as error:
            raise ModelAway(f"vLLM failed: {error}") from error

    def _no_longer_asking(self, work: "asyncio.Task[Reply]") -> None:
        self._asking.discard(work)
        if not work.cancelled():
            work.exception()  # somebody has looked at it, even where the caller has gone

    def fault(self) -> str | None:
        if self._engine is None:
            return None if self._building is not None else "the engine is not running"
        if not self._engine.llm.errored:
            return None
        said = death_cause(self._files.text()) if self._files is not None else None
        return f"the engine died ({said or 'its process is gone'})"

    def describe(self) -> dict[str, Any]:
        plan, engine = self._plan, self._engine
        return {
            "model": shown_name(plan.model),
            "fingerprint": engine and engine.fingerprint,
            "backend": "vllm",
            "device": engine.device if engine else plan.device,
            "vllm_version": engine and engine.version,
            "architectures": engine and engine.architectures,
            "hybrid": engine and engine.hybrid,
            "max_model_len": plan.max_model_len,
            "max_in_flight": plan.max_in_flight,
            "in_flight": len(self._asking),
            "tensor_parallel": plan.tensor_parallel,
            "thinking": plan.thinking,
            "sees": plan.sees,
            "prefix_caching": engine and engine.prefix_caching,
            "prefix_cache_queried_tokens": engine and engine.prefix_cache.queried_tokens,
            "prefix_cache_hit_tokens": engine and engine.prefix_cache.hit_tokens,
        }

    def unfinished(self) -> int:
        """Questions that the engine still has work with."""
        return int(self._engine.llm.get_num_unfinished_requests()) if self._engine is not None else 0

    def process_ids(self) -> list[int]:
        """Of the engine's core and its workers, those that live."""
        return self._processes.pids() if self._processes is not None else []

    def _running(self) -> Engine:
        if self._engine is None:
            raise ModelAway("the engine loads" if self._building is not None else "the engine is not running")
        if (fault := self.fault()) is not None:
            raise ModelAway(fault)
        return self._engine

    async def _built(
        self, building: "asyncio.Future[Engine]", files: EngineFiles, processes: EngineProcesses
    ) -> Engine:
        """vLLM's core may write that a worker failed and then wait for it for ever: it is ended then, and says why."""
        failed = 0
        while not building.done():
            await asyncio.wait([building], timeout=1.0)
            failed = failed + 1 if files.tells_of_failed_start() else 0
            if failed > _GRACE_SECONDS:
                await asyncio.to_thread(processes.end)
        return building.result()

    async def _given_up(self, building: "asyncio.Future[Engine]") -> Engine | None:
        if not building.done() and self._processes is not None:
            processes = self._processes
            while not building.done():  # one that is not born yet is caught in the next round
                await asyncio.to_thread(processes.end)
                await asyncio.wait([building], timeout=0.5)
        return building.result() if not building.cancelled() and building.exception() is None else None

    async def _answered(self, engine: Engine, question: Question, began: float) -> Reply:
        tokens = self._tokens(engine, question)
        data = await asyncio.to_thread(opened_pictures, question.pictures) if question.pictures else None
        thought: list[int] = []
        if self._plan.thinking:
            thought = await self._thought(engine, question, tokens, data)
        output = await self._generated(engine, question, [*tokens, *thought], data, answer_sampling(question))
        text = output.outputs[0]
        return Reply(
            id=output.request_id,
            text=text.text or None,
            finish_reason=text.finish_reason,
            model=shown_name(self._plan.model),
            fingerprint=engine.fingerprint,
            prompt_tokens=len(output.prompt_token_ids or tokens) - len(thought),
            completion_tokens=len(text.token_ids) + len(thought),
            seconds=self._clock.monotonic() - began,
        )

    async def _thought(self, engine: Engine, question: Question, tokens: list[int], data: Any) -> list[int]:
        """What the model thinks aloud, up to its budget, and the end of thinking, after which the answer is asked for.

        In two steps, so that neither a model that thinks without end nor one that answers at once is left unasked.
        """
        sampling = thought_sampling(question, self._plan.thinking_tokens)
        output = await self._generated(engine, question, tokens, data, sampling)
        spelt = engine.prompt.plain(output.outputs[0].text)  # letters cut in two are spelt with more tokens
        return [*spelt[: self._plan.thinking_tokens], *engine.prompt.thought_end]

    async def _generated(self, engine: Engine, question: Question, tokens: list[int], data: Any, sampling: Any) -> Any:
        """vLLM's output of one request. Raises ModelAway, QuestionRefused."""
        from vllm.exceptions import VLLMClientError
        from vllm.inputs import TokensPrompt
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        # This kind of prompt vLLM checks in a thread, a large grammar's seconds included; a rendered one in our loop.
        prompt = TokensPrompt(prompt_token_ids=tokens)
        if data:
            prompt["multi_modal_data"] = data
        stream = engine.llm.generate(prompt, sampling, question.id, priority=question.priority)
        output = None
        try:
            async with contextlib.aclosing(stream):
                async for one in stream:
                    output = one
        except EngineDeadError as error:
            raise ModelAway(self.fault() or "the engine died") from error
        except EngineGenerateError as error:
            raise _failed(error) from error
        except (VLLMClientError, ValueError) as error:
            raise QuestionRefused(f"vLLM does not take the question: {_line(error)}") from error
        finally:
            if output is None or not output.finished:  # cancelled in the moment between the engine's books and ours
                with contextlib.suppress(EngineDeadError):
                    await asyncio.shield(engine.llm.abort(question.id))
        if output is None or output.outputs[0].finish_reason == "abort":
            raise ModelAway(self.fault() or "the engine gave the question up")
        if output.request_id != question.id:
            raise ModelAway(f"the engine answered {output.request_id!r} where {question.id!r} was asked")
        return output

    def _tokens(self, engine: Engine, question: Question) -> list[int]:
        plan, pictures = self._plan, len(question.pictures)
        if pictures and not plan.sees:
            raise QuestionRefused(f"the question has {pictures} pictures, and NEMOTRON_VISION is off")
        if pictures > plan.most_pictures:
            raise QuestionRefused(f"the question has {pictures} pictures, and {plan.most_pictures} may go along")
        tokens = engine.prompt.tokens(question.system, question.user, pictures)
        thought = plan.thinking_tokens + len(engine.prompt.thought_end) if plan.thinking else 0
        answer = question.most_tokens + thought
        if len(tokens) + answer > plan.max_model_len:
            raise QuestionRefused(
                f"the question has {len(tokens)} tokens and its answer may have {answer}, together more than "
                f"NEMOTRON_MAX_MODEL_LEN ({plan.max_model_len}): raise it, or ask about less"
            )
        return tokens


def _failed(error: BaseException) -> ModelAway | QuestionRefused:
    """vLLM wraps what it did not expect; a value that it does not like is the question's fault all the same."""
    cause = error.__cause__
    if isinstance(cause, ValueError | TypeError):
        return QuestionRefused(f"vLLM does not take the question: {_line(cause)}")
    return ModelAway(f"vLLM failed on a question: {_line(cause or error)}")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
