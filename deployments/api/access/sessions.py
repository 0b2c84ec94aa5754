"""A page's session: got with a key, carried in a cookie that no script can read and no other site can send."""

from fastapi import HTTPException
from pydantic import Field, SecretStr
from starlette.requests import Request
from starlette.responses import Response

from deployments.api.access.caller import caller
from deployments.api.access.credentials import COOKIE, Credentials, Way
from deployments.api.access.key_ring import SESSION_LIFE, KeyRing
from deployments.api.access.refusal import CHALLENGE
from deployments.api.parameters import Checked
from schemas.frozen import Frozen, UtcTime
from storage.errors import Conflict


class SignIn(Checked):
    api_key: SecretStr = Field(min_length=1, max_length=512)
    """One of the system's keys; it is not kept."""


class Session(Frozen):
    """Who asks."""

    actor: str
    """The key's name, as the audit trail has it; `local` where no key is asked for."""
    keys_required: bool
    expires_at: UtcTime | None
    """When the session ends by itself; null where a key was sent, or none is asked for."""


class PageSessions:
    def __init__(self, keys: KeyRing, asks_for_keys: bool) -> None:
        self._keys = keys
        self._asks_for_keys = asks_for_keys

    async def sign_in(self, key: str, request: Request, response: Response) -> Session:
        if not self._asks_for_keys:
            raise Conflict("no key is asked for here: everything is open to this machine, and to nobody else")
        made = await self._keys.sign_in(key)
        if made is None:
            raise HTTPException(401, "This key is not known.", {"WWW-Authenticate": CHALLENGE})
        response.set_cookie(
            COOKIE,
            made.session_id,
            max_age=int(SESSION_LIFE.total_seconds()),
            path="/",
            secure=request.state.by_tls,
            httponly=True,
            samesite="strict",
        )
        return Session(actor=made.key_name, keys_required=True, expires_at=made.expires_at)

    async def who(self, request: Request) -> Session:
        credentials: Credentials = request.state.credentials
        session = None
        if self._asks_for_keys and credentials.way is Way.SESSION and credentials.secret is not None:
            session = self._keys.session(credentials.secret)
        return Session(
            actor=(await caller(request)).actor,
            keys_required=self._asks_for_keys,
            expires_at=session.expires_at if session else None,
        )

    async def sign_out(self, request: Request, response: Response) -> None:
        credentials: Credentials = request.state.credentials
        if self._asks_for_keys and credentials.way is Way.SESSION and credentials.secret is not None:
            await self._keys.sign_out(credentials.secret.decode("latin-1"))
        response.delete_cookie(COOKIE, path="/", secure=request.state.by_tls, httponly=True, samesite="strict")
