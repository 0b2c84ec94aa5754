"""A real SMTP server on loopback (aiosmtpd) that keeps what it received and refuses as it is told."""

import asyncio
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from types import TracebackType
from typing import Any, Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True)
class Mail:
    sender: str
    recipients: list[str]
    raw: bytes
    encrypted: bool
    login: bytes | None

    @property
    def message(self) -> EmailMessage:
        return BytesParser(policy=default).parsebytes(self.raw)


class SmtpSink:
    """`async with SmtpSink() as sink:` listens on a free port and offers what is asked for."""

    def __init__(
        self,
        *,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
        password: str | None = None,
        auth_needs_tls: bool = False,
        rcpt_answer: str | None = None,
        data_answer: str | None = None,
        hang_at: str | None = None,
        host: str = "127.0.0.1",
        utf8: bool = False,
    ) -> None:
        self._starttls = starttls
        self._tls = tls
        self._password = password
        self._auth_needs_tls = auth_needs_tls
        self._rcpt_answer = rcpt_answer
        self._data_answer = data_answer
        self._hang_at = hang_at
        self._host = host
        self._utf8 = utf8
        self._closing = asyncio.Event()
        self._protocols: list[SMTP] = []
        self.mails: list[Mail] = []
        self.logins_tried = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, self._host, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.close()
        for protocol in self._protocols:
            # aiosmtpd keeps its task in a private attribute and offers no other way to end a connection.
            task = protocol._handler_coroutine
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            if isinstance(protocol.transport, asyncio.Transport):
                protocol.transport.abort()
        await self._server.wait_closed()

    def _protocol(self) -> SMTP:
        protocol = SMTP(
            self,
            hostname="sink.example",
            tls_context=self._starttls,
            authenticator=self._authenticate if self._password else None,
            auth_exclude_mechanism=() if self._password else ("LOGIN", "PLAIN"),
            auth_require_tls=self._auth_needs_tls,
            enable_SMTPUTF8=self._utf8,
        )
        self._protocols.append(protocol)
        return protocol

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins_tried += 1
        return AuthResult(success=data.password == (self._password or "").encode(), handled=False, auth_data=data)

    async def handle_RCPT(  # aiosmtpd finds the hook by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._hang_at == "RCPT":
            await self._closing.wait()
        if self._rcpt_answer:
            return self._rcpt_answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self._data_answer:
            return self._data_answer
        login = cast(Any, session.auth_data)
        content = envelope.original_content or b""
        encrypted = session.ssl is not None or self._tls is not None
        self.mails.append(
            Mail(envelope.mail_from or "", envelope.rcpt_tos, content, encrypted, login.login if login else None)
        )
        return "250 2.0.0 OK: queued as 4711"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self._hang_at == "QUIT":
            await self._closing.wait()
        return "221 Bye"
