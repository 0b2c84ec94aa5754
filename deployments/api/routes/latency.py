"""How long each stage of the pipeline takes."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/system", tags=["latency"])
