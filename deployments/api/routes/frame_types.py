"""The types of live frames, each with its schema and an example."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/system/websocket", tags=["live"])
