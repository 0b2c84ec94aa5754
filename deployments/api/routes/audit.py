"""The audit trail: who changed what."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/audit", tags=["audit"])
