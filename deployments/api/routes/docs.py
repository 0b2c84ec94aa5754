"""The API reference as a page: Swagger UI from an installed package, so that it works without the internet."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, HTMLResponse, Response

router = APIRouter(prefix="/docs", include_in_schema=False)

_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Home Security Intelligence: API reference</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
});
"""


@cache
def _assets() -> Path:
    return Path(str(files("fastapi_offline").joinpath("static")))


@router.get("")
async def get_docs() -> Response:
    """The page; its addresses are relative, so that it works below a proxy's prefix too."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _CONTENT_POLICY})


@router.get("/start.js")
async def get_start() -> Response:
    """A file of its own, since the page's policy allows no script inside it."""
    return Response(_START, media_type="text/javascript")


@router.get("/swagger-ui-bundle.js")
async def get_script() -> Response:
    return FileResponse(_assets() / "swagger-ui-bundle.js", headers={"Cache-Control": "max-age=86400"})


@router.get("/swagger-ui.css")
async def get_style() -> Response:
    return FileResponse(_assets() / "swagger-ui.css", headers={"Cache-Control": "max-age=86400"})
