"""What a person wants to be told of, camera by camera, and when not to be disturbed."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/notification-preferences", tags=["notification preferences"])
