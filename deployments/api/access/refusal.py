"""How the door says no: a problem over HTTP, a close with a code over a WebSocket."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from deployments.api.problem_response import problem_response

CHALLENGE = 'ApiKey realm="home-security-intelligence", header="X-API-Key"'
POLICY, LATER = 1008, 1013


class Refusal(Exception):
    """`early`: a WebSocket's handshake fails; else it is closed with a code, which its client gets to see."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, early: bool = False) -> None:
        super().__init__(status, detail, headers, early)
        self.status = status
        self.detail = detail
        self.headers: Mapping[str, str] = headers or {}
        self.early = early or status == 421
        if status == 401:
            self.headers = {**self.headers, "WWW-Authenticate": CHALLENGE}

    async def answer(self, scope: Scope, receive: Receive, send: Send, subprotocol: str | None) -> None:
        if scope["type"] == "http":
            response: Response = Response(status_code=204, headers=self.headers)
            if self.status != 204:
                response = problem_response(scope, self.status, self.detail, headers=self.headers)
            await response(scope, receive, send)
            return
        # Browsers tell a page the code of a connection only if there was one: so it is accepted first.
        await receive()
        if not self.early:
            await send({"type": "websocket.accept", "subprotocol": subprotocol})
        code = LATER if self.status in (429, 503) else POLICY
        await send({"type": "websocket.close", "code": code, "reason": self.detail[:100]})
