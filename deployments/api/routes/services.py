"""Services: seen, restarted, started, enabled, disabled."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/system/services", tags=["services"])
