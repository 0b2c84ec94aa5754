"""Who asks, as the access check has found; what the audit trail and the logs keep of it."""

from fastapi import Request

from schemas.audit import Caller

LOCAL = "local"


async def caller(request: Request) -> Caller:
    """The access check leaves it in the request's state; without keys everybody is `local`."""
    found: Caller | None = getattr(request.state, "caller", None)
    return found or Caller(actor=LOCAL, ip_address=request.client.host if request.client else None)
