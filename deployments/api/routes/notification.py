"""The channels as they are configured, and a test of each."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/notification", tags=["notification"])
