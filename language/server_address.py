"""Where an OpenAI-compatible server is: the address as an operator writes it, checked, and as it may be shown."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from language.errors import ModelUnusable

_HINT = "write it as http://gpu-box:8000/v1"


@dataclass(frozen=True)
class ServerAddress:
    """`base` is where /models and /chat/completions are; `origin` is all that errors, logs and the API may show."""

    base: str
    origin: str


def server_address(written: str) -> ServerAddress:
    """Raises ModelUnusable, without a word of the address that could be a secret."""
    text = written.strip()
    if not text.isascii() or any(char <= " " or char in '\x7f"<>\\^`{|}' for char in text):
        raise ModelUnusable(f"NEMOTRON_URL holds a character that no address has (a space, or é): {_HINT}")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ModelUnusable(f"NEMOTRON_URL is no address, or its port is no number up to 65535: {_HINT}") from None
    _refuse_what_has_no_place(parts)
    if not host or port == 0:
        raise ModelUnusable(f"NEMOTRON_URL names no {'port that exists' if host else 'host'}: {_HINT}")
    shown_host = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{shown_host}" + (f":{port}" if port else "")
    path = parts.path.rstrip("/").removesuffix("/chat/completions").removesuffix("/models") or "/v1"
    return ServerAddress(base=origin + path, origin=origin)


def _refuse_what_has_no_place(parts: SplitResult) -> None:
    if parts.scheme not in ("http", "https"):
        raise ModelUnusable(f"NEMOTRON_URL begins with neither http:// nor https://: {_HINT}")
    if "@" in parts.netloc:
        raise ModelUnusable(
            "NEMOTRON_URL holds a name or password before its host: take them out, and put the server's key into "
            "NEMOTRON_API_KEY or into the file that NEMOTRON_API_KEY_FILE names"
        )
    if parts.query or parts.fragment:
        raise ModelUnusable(f"NEMOTRON_URL holds a ? or # part, which cannot go along with each question: {_HINT}")
