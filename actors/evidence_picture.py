"""The picture that goes along with an alert: the frame that shows most, with its boxes drawn."""

import logging
import os

from actors.intake import modified_ns
from schemas.media import MediaType
from storage.deliveries import EvidencePicture
from storage.detections import PictureSource
from vision.annotate import draw_boxes, jpeg_of
from vision.errors import UnreadableMedia
from vision.reading import Picture, read_picture
from vision.video import frame_at

logger = logging.getLogger(__name__)


def drawn_picture(picture: EvidencePicture) -> bytes | None:
    """JPEG bytes; None when the file can no longer be read: an alert goes out without its picture rather than not."""
    try:
        frame = frame_of(picture)
    except (UnreadableMedia, OSError) as error:
        logger.warning("an alert goes out without its picture: %s", error)
        return None
    return jpeg_of(draw_boxes(frame, picture.objects))


def frame_of(source: EvidencePicture | PictureSource, fit: tuple[int, int] | None = None) -> Picture:
    """The picture or the clip's frame that was looked at; raises UnreadableMedia where the file is another by now.

    `fit` is the width and height that it will be fitted into: it may then be decoded at a reduced scale.
    """
    status = os.lstat(source.path)
    if (status.st_size, modified_ns(status)) != (source.size_bytes, source.modified_ns):
        raise UnreadableMedia("the file was overwritten since")
    if source.media_type is MediaType.VIDEO:
        return frame_at(source.path, source.frame_offset_seconds, fit=fit)
    return read_picture(source.path, reduce_to=fit)
