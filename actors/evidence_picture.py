"""The picture that goes along with an alert: the frame that shows most, with its boxes drawn."""

import logging
import os

from actors.intake import modified_ns
from schemas.media import MediaType
from storage.deliveries import EvidencePicture
from vision.annotate import draw_boxes, jpeg_of
from vision.errors import UnreadableMedia
from vision.reading import read_picture
from vision.video import frame_at

logger = logging.getLogger(__name__)


def drawn_picture(picture: EvidencePicture) -> bytes | None:
    """JPEG bytes; None when the file can no longer be read: an alert goes out without its picture rather than not."""
    try:
        status = os.lstat(picture.path)
        if (status.st_size, modified_ns(status)) != (picture.size_bytes, picture.modified_ns):
            raise UnreadableMedia("the file was overwritten since")
        if picture.media_type is MediaType.VIDEO:
            frame = frame_at(picture.path, picture.frame_offset_seconds)
        else:
            frame = read_picture(picture.path)
    except (UnreadableMedia, OSError) as error:
        logger.warning("an alert goes out without its picture: %s", error)
        return None
    return jpeg_of(draw_boxes(frame, picture.objects))
