"""The session of a page: a browser shows a key once, and has a cookie from then on."""

from fastapi import APIRouter, Request, Response

from deployments.api.access.sessions import Session, SignIn
from deployments.api.deps import PageSessionsDep
from deployments.api.examples.access import SESSION, SIGNED_IN
from deployments.api.responses import problems, shows

router = APIRouter(prefix="/api/session", tags=["session"])


@router.post("", status_code=201, responses=shows(SIGNED_IN, 201) | problems(409, 413, 415, 422, 503))
async def sign_in(body: SignIn, sessions: PageSessionsDep, request: Request, response: Response) -> Session:
    """Shows a key, and gets a session as the cookie `hsi_session`: HttpOnly, SameSite=Strict, and Secure over https.

    A session lasts 30 days, or until it is ended or its key is taken away. There is a strict limit of tries an
    address. 401 for a key that is not known; 409 where no key is asked for.
    """
    return await sessions.sign_in(body.api_key.get_secret_value(), request, response)


@router.get("", responses=shows(SESSION))
async def get_session(sessions: PageSessionsDep, request: Request) -> Session:
    """Who asks, by key or by session; 401 for nobody. Where no key is asked for, everybody is `local`."""
    return await sessions.who(request)


@router.delete("", status_code=204, responses=problems(503))
async def sign_out(sessions: PageSessionsDep, request: Request, response: Response) -> None:
    """Ends the session that asks, on every replica within three seconds, and takes its cookie away."""
    await sessions.sign_out(request, response)
