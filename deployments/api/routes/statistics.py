"""Figures from rows and probes: totals, GPU, storage, telemetry."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/system", tags=["statistics"])
