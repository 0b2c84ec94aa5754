"""Performance of the host, the stores and the models, and its alerts."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/system", tags=["performance"])
