"""What may stand in a setting: lists taken apart, addresses and names looked at; each fault with how to write it."""

import re
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from domain.model_registry import MODELS

_HOST_NAME = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_ORIGIN = re.compile(r"https?://([a-z0-9_.-]+|\[[0-9a-f:]+\])(:\d{1,5})?")


def unset_if_empty(value: Any) -> Any:
    """An empty variable is as good as none."""
    return None if value == "" else value


def by_commas(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def by_spaces(value: Any) -> Any:
    return tuple(value.split()) if isinstance(value, str) else value


def lower_by_commas(value: Any) -> Any:
    return by_commas(value.lower()) if isinstance(value, str) else value


def keys_apart(value: Any) -> Any:
    """By commas, and by lines as in a file."""
    return by_spaces(value.replace(",", " ")) if isinstance(value, str) else value


def require_network(written: str) -> None:
    """ValueError for what is neither an address nor a network."""
    ip_network(written, strict=False)


def require_origin(written: str) -> None:
    if not _ORIGIN.fullmatch(written):
        raise ValueError(f"{written} is not an origin: write it as https://example.org or http://localhost:5173")


def require_host_name(written: str) -> None:
    if not _HOST_NAME.fullmatch(written):
        raise ValueError(f"{written} is not a host's name: write it as cameras.example.org, without a port")


def require_zoo_model(name: str) -> None:
    if name not in MODELS:
        raise ValueError(f"{name} is no model of the zoo: choose from {', '.join(MODELS)}")


def require_zoo_file(written: str) -> None:
    """`name=file` of a model of the zoo."""
    name, equals, file = written.partition("=")
    if not (equals and file):
        raise ValueError(f"{written} is not name=file, such as yolo11-face=faces.onnx")
    require_zoo_model(name)


def model_server(written: str) -> str:
    """An address that can be one; the message repeats nothing of it, for it may hold a secret."""
    hint = "write it as http://gpu-box:8000/v1"
    try:
        parts = urlsplit(written.strip())
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(f"it is no address, or its port is no number up to 65535: {hint}") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"it begins with neither http:// nor https://: {hint}")
    if not named:
        raise ValueError(f"it names no host, or port 0: {hint}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"it holds more than an address (@, ? or #); a key belongs in NEMOTRON_API_KEY: {hint}")
    return written.strip()
