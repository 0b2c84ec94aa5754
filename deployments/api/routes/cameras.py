"""Cameras, and the newest picture of each."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from deployments.api.bodies import CameraChange, NewCamera
from deployments.api.deps import CameraFoldersDep, CamerasDep, PicturesDep, TellDep
from deployments.api.examples import page
from deployments.api.examples.pipeline import CAMERA
from deployments.api.pages import CameraPage, camera_page
from deployments.api.parameters import CameraId, CameraQuery, IfNoneMatch
from deployments.api.responses import PICTURE, picture_response, problems, shows
from schemas.camera import Camera

router = APIRouter(prefix="/api/cameras", tags=["cameras"])


@router.get("", responses=shows(page("cameras", CAMERA)) | problems(422, 503))
async def list_cameras(query: Annotated[CameraQuery, Query()], cameras: CamerasDep) -> CameraPage:
    """Every camera in the order of the ids."""
    rows = await cameras.list(after=query.id_place(), limit=query.limit + 1, offset=query.offset)
    return camera_page(rows, query)


@router.post("", status_code=201, responses=shows(CAMERA, 201) | problems(409, 413, 415, 422, 503))
async def create_camera(body: NewCamera, folders: CameraFoldersDep) -> Camera:
    """Makes a camera and its folder below the camera root. A camera that was deleted comes back with its history.

    The id is made of the name: lower case, spaces and hyphens as `_`. A name whose id another camera has is a 409.
    """
    return await folders.create(body.name)


@router.get("/{camera_id}", responses=shows(CAMERA) | problems(404, 422, 503))
async def get_camera(camera_id: CameraId, cameras: CamerasDep) -> Camera:
    """One camera."""
    return await cameras.get(camera_id)


@router.patch("/{camera_id}", responses=shows(CAMERA) | problems(404, 413, 415, 422, 503))
async def update_camera(camera_id: CameraId, body: CameraChange, cameras: CamerasDep, tell: TellDep) -> Camera:
    """Changes the name that is shown, or switches the camera off and on. A field left out stays as it is.

    Files that come while a camera is off stay in its folder and are not looked at.
    """
    return await tell(cameras.update(camera_id, body))


@router.delete("/{camera_id}", status_code=204, responses=problems(404, 422, 503))
async def delete_camera(camera_id: CameraId, cameras: CamerasDep, tell: TellDep) -> None:
    """Forgets the camera: its folder is no longer looked at. Its files, events and alerts stay."""
    await tell(cameras.delete(camera_id))


@router.get("/{camera_id}/snapshot", response_class=Response, responses=PICTURE | problems(404, 422, 503))
async def get_camera_snapshot(
    camera_id: CameraId, cameras: CamerasDep, pictures: PicturesDep, if_none_match: IfNoneMatch = None
) -> Response:
    """The newest picture as JPEG; of a clip its first frame."""
    camera = await cameras.get(camera_id)
    return picture_response(await pictures.snapshot(camera.id, if_none_match), "private, no-cache")
