"""The e-mail channel: one SMTP conversation a delivery; what the server refuses for good is told from what may pass."""

import asyncio
import contextlib
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

import aiosmtplib
from pydantic import SecretStr

from notify.mail_address import canonical_address
from notify.mail_message import compose, wire_bytes
from notify.message import AlertMessage
from notify.outcome import Delivered, Failed
from notify.text import one_line

_SERVER_WORDS = 200


class SmtpTls(StrEnum):
    AUTO = "auto"
    """TLS on port 465, elsewhere STARTTLS where the server offers it."""
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True)
class SmtpServer:
    host: str
    port: int
    tls: SmtpTls = SmtpTls.AUTO
    user: str | None = None
    password: SecretStr | None = None

    @property
    def on_this_machine(self) -> bool:
        """There a password needs no encryption, and a self-signed certificate is as good as any."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


class EmailChannel:
    """Sends to the configured recipients and to nobody else, so that no caller turns it into an open relay."""

    def __init__(
        self,
        server: SmtpServer,
        sender: str,
        recipients: Sequence[str],
        *,
        tls: ssl.SSLContext | None = None,
        command_seconds: float = 15.0,
        total_seconds: float = 45.0,
        farewell_seconds: float = 1.0,
    ) -> None:
        self._server = server
        self._sender = sender
        self._recipients = frozenset(recipients)
        self._tls = tls
        self._command_seconds = command_seconds
        self._total_seconds = total_seconds
        self._farewell_seconds = farewell_seconds

    async def send(self, recipient: str, message: AlertMessage) -> Delivered | Failed:
        if recipient not in self._recipients:
            return Failed("the recipient is not one of SMTP_TO", permanent=True)
        address = canonical_address(recipient)
        if address is None:
            return Failed("the recipient is not an e-mail address", permanent=True)
        utf8 = not (address + self._sender).isascii()
        mail = wire_bytes(compose(message, self._sender, address), utf8=utf8)
        client = self._client()
        try:
            async with asyncio.timeout(self._total_seconds) as limit:
                options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
                return await self._converse(client, address, mail, options, limit)
        except TimeoutError:
            return self._failed("did not answer in time", permanent=False)
        except aiosmtplib.SMTPException as error:
            return self._refused(error)
        except OSError as error:
            return self._failed(_connection_trouble(error), permanent=False)
        finally:
            client.close()

    async def _converse(
        self, client: aiosmtplib.SMTP, address: str, mail: bytes, options: list[str], limit: asyncio.Timeout
    ) -> Delivered | Failed:
        await client.connect()
        if self._server.user:
            encrypted = client.get_transport_info("sslcontext") is not None
            if not encrypted and not self._server.on_this_machine:
                return self._failed("offers no encryption, so the password is not sent; set SMTP_TLS", permanent=True)
            password = self._server.password.get_secret_value() if self._server.password else ""
            await client.login(self._server.user, password)
        _, answer = await client.sendmail(self._sender, [address], mail, mail_options=options)
        # It has taken the mail: a farewell that fails or hangs must not lead to a second one.
        limit.reschedule(None)
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await client.quit(timeout=self._farewell_seconds)
        return Delivered(f"accepted by {self._server.host}: {one_line(answer, _SERVER_WORDS)}")

    def _client(self) -> aiosmtplib.SMTP:
        mode = self._server.tls
        if mode is SmtpTls.AUTO and self._server.port == 465:
            mode = SmtpTls.TLS
        return aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            use_tls=mode is SmtpTls.TLS,
            start_tls={SmtpTls.AUTO: None, SmtpTls.STARTTLS: True}.get(mode, False),
            validate_certs=not self._server.on_this_machine,
            tls_context=self._tls,
            local_hostname=_own_name(),
            timeout=self._command_seconds,
        )

    def _refused(self, error: aiosmtplib.SMTPException) -> Failed:
        if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
            return self._refused(error.recipients[0])
        if isinstance(error, aiosmtplib.SMTPResponseException):
            what = _WHAT.get(type(error), "refused the mail")
            words = self._without_password(one_line(error.message, _SERVER_WORDS))
            # RFC 5321: 4yz is "try again later", 5yz "do not repeat this".
            return self._failed(f"{what}: {error.code} {words}".rstrip(), permanent=error.code >= 500)
        if isinstance(error, aiosmtplib.SMTPTimeoutError):
            return self._failed("did not answer in time", permanent=False)
        if isinstance(error, aiosmtplib.SMTPConnectError | aiosmtplib.SMTPServerDisconnected):
            return self._failed(_connection_trouble(error), permanent=False)
        # What is left is a wish that this server cannot fulfil: STARTTLS, a login, a non-ASCII address.
        return self._failed(one_line(error.message, _SERVER_WORDS), permanent=True)

    def _without_password(self, words: str) -> str:
        """A server that repeats what it could not read must not bring the password into a row."""
        if not self._server.password:
            return words
        password = self._server.password.get_secret_value().encode()
        login = (self._server.user or "").encode()
        coded = (b64encode(password), b64encode(b"\0" + login + b"\0" + password))
        return "" if any(form.decode() in words for form in (password, *coded)) else words

    def _failed(self, reason: str, *, permanent: bool) -> Failed:
        return Failed(f"mail server {self._server.host}:{self._server.port}: {reason}", permanent)


_WHAT: dict[type[aiosmtplib.SMTPException], str] = {
    aiosmtplib.SMTPRecipientRefused: "refused the recipient",
    aiosmtplib.SMTPSenderRefused: "refused the sender",
    aiosmtplib.SMTPAuthenticationError: "refused the login",
    aiosmtplib.SMTPConnectResponseError: "takes no connections",
}


def _connection_trouble(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "the certificate cannot be verified"
        if isinstance(cause, ssl.SSLError):
            return "the TLS handshake failed"
        cause = cause.__cause__
    return "the connection broke off" if isinstance(error, aiosmtplib.SMTPServerDisconnected) else "cannot be reached"


def _own_name() -> str:
    """For EHLO: looking up the full name, as libraries do, hangs where DNS does; RFC 5321 allows the literal."""
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name) else "[127.0.0.1]"
