"""A question in vLLM's terms: how its answer is drawn, and its pictures opened."""

import io
from typing import Any

from language.chat_prompt import THOUGHT_ENDS
from language.errors import QuestionRefused
from schemas.language import Question

_LARGEST_PICTURE = 16_000_000  # pixels


def answer_sampling(question: Question) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    return SamplingParams(
        temperature=question.temperature,
        max_tokens=question.most_tokens,
        structured_outputs=StructuredOutputsParams(json=question.answer_schema),
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def thought_sampling(question: Question, most_tokens: int) -> Any:
    """Without a grammar, up to the end of the thought or of its budget."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        temperature=question.temperature,
        max_tokens=most_tokens,
        stop=[THOUGHT_ENDS],
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def opened_pictures(pictures: tuple[bytes, ...]) -> dict[str, Any]:
    """Raises QuestionRefused for what is no picture, or one that would fill the memory."""
    from PIL import Image

    opened = []
    for number, raw in enumerate(pictures, 1):
        try:
            picture = Image.open(io.BytesIO(raw), formats=("JPEG",))
            if picture.width * picture.height > _LARGEST_PICTURE:
                raise QuestionRefused(f"picture {number} has more than {_LARGEST_PICTURE} pixels")
            opened.append(picture.convert("RGB"))
        except (OSError, ValueError, SyntaxError) as error:
            raise QuestionRefused(f"picture {number} is no readable JPEG") from error
    return {"image": opened}
