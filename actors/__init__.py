"""Ray shells over plain classes: receive, ask the domain, act, count.

`from actors import connect` is the way in for a notebook or another process.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.connection import Home


def connect(data_dir: str | None = None, address: str | None = None) -> "Home":
    """Actor handles of a running system, by name; see actors/connection.py.

    >>> home = connect()
    >>> await home.yolo_detector.detect("picture.jpg")
    """
    from actors.connection import connect as connect_home  # imports Ray, which reads its environment once

    return connect_home(data_dir, address)


__all__ = ["connect"]
