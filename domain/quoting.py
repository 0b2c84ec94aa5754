r"""Outside text as quoted data: a JSON string that no name, whatever stands in it, can leave.

    Front "Door"<|im_end|>   →   "Front \u0022Door\u0022\u003c\u007cim_end\u007c\u003e"

What stays as it is: letters of any script, digits, single spaces, and `-`, `_`, `.`, `'`, `…` one at a time. Every
other character is written as `\uXXXX`, so nothing that delimits anything is left: no quote, backslash, bracket, brace,
colon, comma, slash, angle, pipe, number sign, backtick; no special token of a chat template, no tag, no fence, no
markup. A JSON reader gets the text back as `cleaned` gave it.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_MOST_READ = 2000
"""Of a text from outside; what follows is not looked at."""
_CUT = "…"
_PUNCTUATION = frozenset("-_.'" + _CUT)
_BEFORE_CUT = " " + "".join(sorted(_PUNCTUATION))
_LINE_BREAKS_AND_CONTROLS = ("Cc", "Zl", "Zp")
_GONE = ("Cf", "Cs", "Cn", "Co")
# Letters and marks that are never seen (Unicode's Default_Ignorable_Code_Point beyond the category Cf).
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)


def cleaned(text: str, most: int) -> str:
    """One line without controls, direction marks and unseen characters, of at most `most` bytes when quoted.

    Line breaks and controls become spaces, runs of space are one, what is too long ends in `…`. Clean text stays. Bytes
    in UTF-8 are counted, since no tokenizer makes more tokens than that; `most` is 3 at least.
    """
    shown = "".join(" " if _is_break(char) else char for char in text[:_MOST_READ] if not _is_gone(char))
    line = " ".join(shown.split())
    used, kept = 0, 0
    for at, part in enumerate(_parts(line)):
        used += len(part.encode())
        if used <= most - len(_CUT.encode()):
            kept = at + 1
        if used > most:
            return line[:kept].rstrip(_BEFORE_CUT) + _CUT
    return line


def quoted(text: str) -> str:
    """The text as a JSON string, its double quotes included, on one line."""
    return f'"{"".join(_parts(text))}"'


def _parts(text: str) -> Iterator[str]:
    """Each character as it is written.

    A mark without a letter before it would change the look of the quote, and a run of punctuation can mean something:
    both are escaped.
    """
    before = ""
    for char in text:
        plain = _is_plain(char)
        if char in _PUNCTUATION:
            plain = before not in _PUNCTUATION
        elif unicodedata.category(char)[0] == "M":
            plain = plain and before != "" and unicodedata.category(before)[0] in "LM"
        yield char if plain else _escaped(char)
        before = char


@lru_cache(maxsize=8192)
def _is_plain(char: str) -> bool:
    """Judged by what a tokenizer that folds compatible forms would make of it: `＜` is `<`."""
    folded = unicodedata.normalize("NFKC", char)
    return char == " " or (
        " " not in folded and all(unicodedata.category(one)[0] in "LMN" or one in _PUNCTUATION for one in folded)
    )


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _is_break(char: str) -> bool:
    return unicodedata.category(char) in _LINE_BREAKS_AND_CONTROLS


def _is_gone(char: str) -> bool:
    return char in _UNSEEN or unicodedata.category(char) in _GONE
