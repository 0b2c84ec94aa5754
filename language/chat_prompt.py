"""A question as the tokens of a chat, in which what comes from outside can never become a control token.

    template ──▶ <|im_start|>system\\n ▒▒▒ <|im_end|>\\n<|im_start|>user\\n ▒▒▒ <|im_end|>\\n<|im_start|>assistant\\n
                 └ control tokens ┘    │                                   │
                                       └ system text, plain tokens only    └ the user's text, plain tokens only

The template is rendered with placeholders, so it cannot be steered by what a message says (`/think`), and the texts
are put between its pieces as tokens: a camera called `<|im_end|>` stays six letters and some signs.
"""

import re
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any
from uuid import uuid4

from domain.clock import SystemClock
from language.errors import ModelUnusable

THOUGHT_ENDS = "</think>"
_NO_THINK = re.compile(r"nemotron-nano-(9b|12b)-v2", re.IGNORECASE)
_KEPT_TEXTS = 8
_TEMPLATE_SECONDS = 20.0
"""A real one takes milliseconds."""


class ChatPrompt:
    """One model's tokenizer and chat template. Raises ModelUnusable where the template does not carry the messages.

    Making one may take seconds: the template is run here, for every number of pictures, and never while it is used.
    """

    def __init__(self, tokenizer: Any, model_name: str, *, thinking: bool, most_pictures: int = 0) -> None:
        self._tokenizer = tokenizer
        self._thinking = thinking
        self._word = "\n/no_think" if not thinking and _NO_THINK.search(model_name) else ""
        self._control = _control_tokens(tokenizer)
        texts = sorted(self._control, key=len, reverse=True)
        self._written = re.compile("|".join(map(re.escape, texts))) if texts else None
        self._control_ids = frozenset(self._control.values())
        self._frames = [self._frame(pictures) for pictures in range(most_pictures + 1)]
        self.thought_end = self.control(f"\n{THOUGHT_ENDS}\n\n")
        """What stands between a thought and the answer."""
        self._kept: OrderedDict[str, list[int]] = OrderedDict()

    def tokens(self, system: str, user: str, pictures: int = 0) -> list[int]:
        before, between, after = self._frames[pictures]
        return [*before, *self._system(system), *between, *self.plain(user), *after]

    def plain(self, text: str) -> list[int]:
        """The text as the tokenizer reads ordinary letters, whatever it spells.

        A control token that is spelt out is cut after its first letter, so that the tokenizer never sees it whole.
        """
        found: list[int] = []
        for piece in self._pieces(text):
            ids = self._encoded(piece)
            if not self._control_ids.isdisjoint(ids):  # a tokenizer that folds letters before it looks for them
                ids = [one for letter in piece for one in self._encoded(letter) if one not in self._control_ids]
            found.extend(ids)
        return found

    def control(self, text: str) -> list[int]:
        """Our own text, in which a control token that is spelt out is one."""
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def _pieces(self, text: str) -> list[str]:
        cuts, start = [0], 0
        while self._written is not None and (match := self._written.search(text, start)):
            start = match.start() + 1
            cuts.append(start)
        return [text[one:other] for one, other in pairwise([*cuts, len(text)]) if other > one]

    def _encoded(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))

    def _system(self, text: str) -> list[int]:
        """The instructions are the same for question after question: their tokens are kept."""
        if text in self._kept:
            self._kept.move_to_end(text)
        else:
            self._kept[text] = self.plain(text)
            if len(self._kept) > _KEPT_TEXTS:
                self._kept.popitem(last=False)
        return self._kept[text]

    def _frame(self, pictures: int) -> tuple[list[int], ...]:
        """The tokens before the system text, between the two, and after the user's."""
        system, user = f"S{uuid4().hex}", f"U{uuid4().hex}"
        shown: Any = [*({"type": "image"} for _ in range(pictures)), {"type": "text", "text": user}]
        try:
            with _ended_after(_TEMPLATE_SECONDS):
                rendered = self._tokenizer.apply_chat_template(
                    [
                        {"role": "system", "content": system + self._word},
                        {"role": "user", "content": shown if pictures else user},
                    ],
                    tokenize=False,
                    add_generation_prompt=True,
                    enable_thinking=self._thinking,
                )
        except Exception as error:  # a template is a program of the model's: it may raise anything
            raise ModelUnusable(
                f"the model's chat template fails ({_short(error)}); take its instruct variant"
            ) from error
        pieces = re.split(f"{system}|{user}", str(rendered))
        if len(pieces) != 3 or rendered.index(system) > rendered.index(user):
            raise ModelUnusable(
                "the model's chat template leaves out the system text or the question; take another model"
            )
        return tuple(self.control(piece) for piece in pieces)


@contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """Ends Python code of somebody else's that may loop for ever, in this thread alone, by looking at its every line.

    The sandbox that templates run in keeps them from this machine's files, and not from its time.
    """
    clock = SystemClock()
    end = clock.monotonic() + seconds

    def look(*_: Any) -> Any:
        if clock.monotonic() > end:
            raise TimeoutError(f"it did not end within {seconds:g} s")
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)


def _control_tokens(tokenizer: Any) -> dict[str, int]:
    """Every text that the tokenizer takes for one token before it looks at letters; one letter alone is no danger."""
    added = {text: number for number, text in _added(tokenizer)}
    for text in getattr(tokenizer, "all_special_tokens", ()):
        number = tokenizer.convert_tokens_to_ids(text)
        if isinstance(number, int):
            added.setdefault(text, number)
    return {text: number for text, number in added.items() if len(text) > 1}


def _added(tokenizer: Any) -> list[tuple[int, str]]:
    return [(number, str(token)) for number, token in tokenizer.added_tokens_decoder.items()]


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
