"""The API behind Ray Serve: builds the application in each replica, and makes sure that the pipeline runs."""

import asyncio
import os

from fastapi import FastAPI
from ray import serve

from actors.pipeline import start_supervisor, system_actors
from actors.process import arm_process
from deployments.api.app import create_app
from deployments.api.deps import Services
from deployments.ray_environment import proxy_names_client
from settings import Settings


@serve.ingress()
class ApiIngress:
    """One API replica; it keeps nothing that another replica would miss."""

    def __init__(self, settings: Settings, *others: object) -> None:
        """`others` only ties the deployments together: the workers call those, not through the API."""
        arm_process("api", settings)
        self._settings = settings
        del others

    async def __serve_build_asgi_app__(self) -> FastAPI:
        # Whoever deploys this application by any way (hsi, serve run, a RayService) gets the whole system.
        app_name = serve.get_replica_context().app_name
        await asyncio.to_thread(start_supervisor, self._settings, app_name)
        os.environ["FORWARDED_ALLOW_IPS"] = ""  # or Serve's server would take any caller's X-Forwarded-For for true
        services = await Services.open(self._settings, actors=system_actors(), behind_own_proxy=proxy_names_client())
        return create_app(services)
