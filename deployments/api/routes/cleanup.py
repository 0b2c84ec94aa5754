"""Retention: what is deleted, when, and what would be."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/system/cleanup", tags=["cleanup"])
