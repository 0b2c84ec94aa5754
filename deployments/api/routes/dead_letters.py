"""What was tried and failed for good, and how it is tried again."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/dlq", tags=["dead letters"])
