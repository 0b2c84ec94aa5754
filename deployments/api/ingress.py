"""The API behind Ray Serve: builds the application in each replica, and makes sure that the pipeline runs."""

import asyncio

from fastapi import FastAPI
from ray import serve

from actors.pipeline import start_supervisor, system_actors
from deployments.api.app import create_app
from deployments.api.deps import Services
from settings import Settings


@serve.ingress()
class ApiIngress:
    """One API replica; it keeps nothing that another replica would miss."""

    def __init__(self, settings: Settings, detector: object) -> None:
        """`detector` only ties the deployments together: frames go to it from the workers, not through the API."""
        self._settings = settings
        del detector

    async def __serve_build_asgi_app__(self) -> FastAPI:
        # Whoever deploys this application by any way (hsi, serve run, a RayService) gets the whole system.
        app_name = serve.get_replica_context().app_name
        await asyncio.to_thread(start_supervisor, self._settings, app_name)
        return create_app(await Services.open(self._settings, actors=system_actors()))
