"""What an operator may change while the system runs: configuration, severity thresholds, anomaly detection."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/system", tags=["configuration"])
