"""Making a camera: its row, and the folder into which it will drop its pictures."""

import asyncio
import os
import unicodedata
from pathlib import Path

from deployments.api.errors import InvalidField
from domain.camera_id import camera_id
from schemas.camera import Camera
from storage.cameras import Cameras
from storage.errors import StoreUnavailable

_MOST_NAME_BYTES = 255  # of a file name, on every common file system


class CameraFolders:
    """The camera root and the table `cameras`, kept in step."""

    def __init__(self, root: Path, cameras: Cameras) -> None:
        self._root = root
        self._cameras = cameras

    async def create(self, name: str) -> Camera:
        """Raises InvalidField for a name that cannot be a folder's, Conflict when its id is taken."""
        identifier = camera_id(name)
        if identifier is None:
            raise InvalidField("name", "the name needs a letter or a digit")
        _check_folder_name(name)
        folder = self._root / name
        if await asyncio.to_thread(folder.is_symlink):
            raise InvalidField("name", "the camera root has a symbolic link of this name")
        camera = await self._cameras.create(identifier, name, str(folder))
        try:
            await asyncio.to_thread(os.makedirs, folder, exist_ok=True)
        except OSError as error:
            await self._cameras.delete(identifier)
            raise StoreUnavailable(f"the folder of camera {identifier} cannot be made: {error}") from error
        return camera


def _check_folder_name(name: str) -> None:
    if name != name.strip() or name.startswith("."):
        raise InvalidField("name", "the name may not start with a dot or a space, nor end with a space")
    if any(char in "/\\" or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name):
        raise InvalidField("name", "the name may hold no slash, backslash, line break or control character")
    if len(name.encode()) > _MOST_NAME_BYTES:
        raise InvalidField("name", f"the name is longer than {_MOST_NAME_BYTES} bytes")
