"""The model zoo: the registry, its memory and its latencies."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/system", tags=["models"])
