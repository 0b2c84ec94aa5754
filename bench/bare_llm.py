"""The bare engine: vLLM's AsyncLLM and nothing else, over the very prompts that the system asked.

Runs in a process of its own: python -m bench.bare_llm PLAN.json, whose answer is one line of JSON.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import psutil

from domain.clock import SystemClock
from language.engine_processes import prepare_environment


def main(plan_file: Path) -> None:
    plan = json.loads(plan_file.read_text())
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    prepare_environment(offline=True)
    print(json.dumps(asyncio.run(_run(plan))))


async def _run(plan: dict[str, Any]) -> dict[str, float]:
    """The plan: `engine` (its arguments), `in_flight`, `questions` (system, user, schema each), `warm_up` likewise.

    `answer_tokens`, and `cpu_seconds` of this process and the engine's.
    """
    from transformers import AutoTokenizer
    from vllm import SamplingParams
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams
    from vllm.v1.engine.async_llm import AsyncLLM

    tokenizer = AutoTokenizer.from_pretrained(plan["engine"]["model"])
    engine = AsyncLLM.from_engine_args(AsyncEngineArgs(**plan["engine"]))
    places = asyncio.Semaphore(plan["in_flight"])
    answered = []

    async def ask(number: int, question: dict[str, Any]) -> None:
        messages = [{"role": role, "content": question[role]} for role in ("system", "user")]
        async with places:
            prompt = tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
            sampling = SamplingParams(
                temperature=plan["temperature"],
                max_tokens=plan["most_tokens"],
                structured_outputs=StructuredOutputsParams(json=question["schema"]),
                output_kind=RequestOutputKind.FINAL_ONLY,
            )
            async for output in engine.generate(prompt, sampling, request_id=str(number)):
                last = output
            answered.append(len(last.outputs[0].token_ids))

    clock = SystemClock()
    try:
        await asyncio.gather(*(ask(-1 - n, question) for n, question in enumerate(plan["warm_up"])))
        answered.clear()
        used, began = _cpu_seconds(), clock.monotonic()
        await asyncio.gather(*(ask(number, question) for number, question in enumerate(plan["questions"])))
        seconds, used = clock.monotonic() - began, _cpu_seconds() - used
    finally:
        engine.shutdown()
    return {"seconds": seconds, "answer_tokens": sum(answered), "cpu_seconds": used}


def _cpu_seconds() -> float:
    here = psutil.Process()
    times = [process.cpu_times() for process in (here, *here.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
