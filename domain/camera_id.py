"""A camera's id, made from the name of its folder."""

import hashlib
import unicodedata

MAX_LENGTH = 64
_HASH_LENGTH = 8
_HYPHENS = frozenset("-\u2010\u2011")


def camera_id(folder_name: str) -> str | None:
    """The id of the camera whose files lie in that folder; None when nothing is left of the name.

    Lower case, spaces and hyphens as `_`, other non-word characters dropped, letters of every script kept with their
    combining marks. `lower`, not `casefold`: folding would make one id of `Straße` and `Strasse`. A name that is too
    long ends in a hash of the whole, so that two which differ only at their ends stay two cameras.
    """
    kept: list[str] = []
    marks_follow = False
    for character in unicodedata.normalize("NFC", folder_name).lower():
        if character in _HYPHENS or unicodedata.category(character) == "Zs":
            kept.append("_")
            marks_follow = False
        elif character.isalnum() or character == "_" or (marks_follow and _is_mark(character)):
            kept.append(character)
            marks_follow = character != "_"
        else:
            marks_follow = False
    return _bounded(unicodedata.normalize("NFC", "".join(kept))) or None


def _is_mark(character: str) -> bool:
    """Accents and vowel signs; not variation selectors, which cannot be seen and would make look-alike ids."""
    visible = not ("\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef")
    return visible and unicodedata.category(character) in ("Mn", "Mc")


def _bounded(name: str) -> str:
    if len(name) <= MAX_LENGTH:
        return name
    ending = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    return unicodedata.normalize("NFC", f"{name[: MAX_LENGTH - _HASH_LENGTH - 1]}_{ending}")
