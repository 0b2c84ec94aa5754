"""Logs of every process, and those that pages send."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/logs", tags=["logs"])
