"""One Prometheus scrape for the whole system."""

from fastapi import APIRouter

router = APIRouter(prefix="/api", tags=["metrics"])
