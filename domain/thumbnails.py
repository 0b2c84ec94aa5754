"""What a detection's thumbnail is called below DATA_DIR/thumbnails: `12/12345-0011223344556677.jpg`."""

import re

_A_FOLDER = 1000
_NAME = re.compile(r"(\d{1,16})/(\d{1,19})-([0-9a-f]{0,16})\.jpg", re.ASCII)


def thumbnail_name(detection_id: int, content_hash: bytes) -> str:
    """The content's hash is in it: another database over the same DATA_DIR shows no foreign pictures."""
    return f"{detection_id // _A_FOLDER}/{detection_id}-{content_hash.hex()[:16]}.jpg"


def detection_called(name: str) -> int | None:
    """The id of the detection that this may be the thumbnail of; None for a file that is no thumbnail of ours."""
    match = _NAME.fullmatch(name)
    found = int(match[2]) if match else 0
    return found if 0 < found < 2**63 and match is not None and int(match[1]) == found // _A_FOLDER else None
