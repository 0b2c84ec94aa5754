"""Media: every file that came, with what became of it and why."""

from typing import Annotated

from fastapi import APIRouter, Query

from deployments.api.deps import MediaDep
from deployments.api.examples import page
from deployments.api.examples.pipeline import MEDIA
from deployments.api.pages import MediaPage, media_page
from deployments.api.parameters import MediaQuery, RowId
from deployments.api.responses import problems, shows
from schemas.media import Media

router = APIRouter(prefix="/api/media", tags=["media"])


@router.get("", responses=shows(page("media", MEDIA)) | problems(422, 503))
async def list_media(query: Annotated[MediaQuery, Query()], media: MediaDep) -> MediaPage:
    """Files, newest first. `state=dead` lists those that were refused, each with its `reason`."""
    rows = await media.list(query, before=query.id_place(), limit=query.limit + 1, offset=query.offset)
    return media_page(rows, query)


@router.get("/{media_id}", responses=shows(MEDIA) | problems(404, 422, 503))
async def get_media(media_id: RowId, media: MediaDep) -> Media:
    """One file."""
    return await media.get(media_id)
