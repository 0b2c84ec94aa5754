"""Circuit breakers: seen and reset."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/system/circuit-breakers", tags=["circuit breakers"])
