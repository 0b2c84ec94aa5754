"""The bare engine: vLLM's AsyncLLM and nothing else, over the very prompts that the system asked.

Runs in a process of its own: python -m bench.bare_llm PLAN.json, whose answer is one line of JSON.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from domain.clock import SystemClock


def main(plan_file: Path) -> None:
    plan = json.loads(plan_file.read_text())
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    print(json.dumps(asyncio.run(_run(plan))))


async def _run(plan: dict[str, Any]) -> dict[str, float]:
    """The plan: `model`, `engine` (its arguments), `in_flight`, `questions` (system, user, schema each)."""
    from transformers import AutoTokenizer
    from vllm import SamplingParams
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.sampling_params import StructuredOutputsParams
    from vllm.v1.engine.async_llm import AsyncLLM

    tokenizer = AutoTokenizer.from_pretrained(plan["model"])
    engine = AsyncLLM.from_engine_args(AsyncEngineArgs(model=plan["model"], **plan["engine"]))
    places = asyncio.Semaphore(plan["in_flight"])
    tokens = {"prompt": 0, "answer": 0}

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
            )
            async for output in engine.generate(prompt, sampling, request_id=str(number)):
                last = output
            tokens["prompt"] += len(last.prompt_token_ids)
            tokens["answer"] += len(last.outputs[0].token_ids)

    clock = SystemClock()
    try:
        await asyncio.gather(*(ask(-1 - n, question) for n, question in enumerate(plan["warm_up"])))
        tokens.update(prompt=0, answer=0)
        began = clock.monotonic()
        await asyncio.gather(*(ask(number, question) for number, question in enumerate(plan["questions"])))
        seconds = clock.monotonic() - began
    finally:
        engine.shutdown()
    return {"seconds": seconds, "prompt_tokens": tokens["prompt"], "answer_tokens": tokens["answer"]}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
