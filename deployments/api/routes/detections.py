"""Detections, and the pictures in which things were seen."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from deployments.api.deps import DetectionsDep, PicturesDep
from deployments.api.examples import page
from deployments.api.examples.pipeline import DETECTION
from deployments.api.pages import DetectionPage, detection_page
from deployments.api.parameters import DetectionQuery, IfNoneMatch, RowId
from deployments.api.responses import PICTURE, picture_response, problems, shows
from schemas.detection import Detection

router = APIRouter(prefix="/api/detections", tags=["detections"])

KEPT = "private, max-age=3600"


@router.get("", responses=shows(page("detections", DETECTION)) | problems(422, 503))
async def list_detections(query: Annotated[DetectionQuery, Query()], detections: DetectionsDep) -> DetectionPage:
    """Detections, newest first; all filters that are set must hold."""
    rows = await detections.list(query, before=query.row_place(), limit=query.limit + 1, offset=query.offset)
    return detection_page(rows, query)


@router.get("/{detection_id}", responses=shows(DETECTION) | problems(404, 422, 503))
async def get_detection(detection_id: RowId, detections: DetectionsDep) -> Detection:
    """One detection; its box is in the pixels of the picture as a person sees it, from the top left."""
    return await detections.get(detection_id)


@router.get("/{detection_id}/image", response_class=Response, responses=PICTURE | problems(404, 422, 503))
async def get_detection_image(
    detection_id: RowId,
    pictures: PicturesDep,
    boxes: Annotated[bool, Query(description="Draw everything that was seen in it.")] = False,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The whole picture: the file as the camera wrote it; of a clip, the frame in which this was seen, as JPEG.

    404 when the file is gone or is no longer the one that was looked at.
    """
    return picture_response(await pictures.image(detection_id, boxes, if_none_match), KEPT)


@router.get("/{detection_id}/thumbnail", response_class=Response, responses=PICTURE | problems(404, 422, 503))
async def get_detection_thumbnail(
    detection_id: RowId, pictures: PicturesDep, if_none_match: IfNoneMatch = None
) -> Response:
    """A JPEG of at most 320 pixels with this detection's box. Made once: it outlives the picture itself."""
    return picture_response(await pictures.thumbnail(detection_id, if_none_match), KEPT)
