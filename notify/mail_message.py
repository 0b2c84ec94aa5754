"""The e-mail of an alert: a text, the same as a page, and the picture inline in it."""

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP, EmailPolicy
from typing import Any

from notify.message import AlertMessage
from notify.render import html_body, subject, text_body

SENDER_NAME = "Home Security"
_KEY = "Idempotency-Key"
LARGEST_PICTURE_BYTES = 8_000_000
"""Servers commonly refuse mails over 10 MB, and an alert must not fail for its picture."""


def compose(message: AlertMessage, sender: str, recipient: str) -> EmailMessage:
    """Both addresses as `canonical_address` gives them; the Message-ID is the same in every try."""
    domain = sender.rpartition("@")[2]
    identity = hashlib.sha256(message.idempotency_key.encode()).hexdigest()[:32]
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = subject(message)
    mail["From"] = _mailbox(sender, SENDER_NAME)
    mail["To"] = _mailbox(recipient)
    mail["Date"] = message.created_at
    mail["Message-ID"] = f"<{identity}@{domain}>"
    mail[_KEY] = message.idempotency_key
    # RFC 3834: keeps out-of-office answers away.
    mail["Auto-Submitted"] = "auto-generated"
    picture = message.picture
    shown = picture is not None and len(picture) <= LARGEST_PICTURE_BYTES
    cid = f"picture.{identity}@{domain}" if shown else None
    mail.set_content(text_body(message))
    mail.add_alternative(html_body(message, cid), subtype="html")
    if picture is not None and cid is not None:
        page = mail.get_payload(1)
        assert isinstance(page, MIMEPart)
        page.add_related(
            picture, maintype="image", subtype="jpeg", cid=f"<{cid}>", filename="alert.jpg", disposition="inline"
        )
    return mail


def wire_bytes(mail: EmailMessage, *, utf8: bool) -> bytes:
    """7-bit throughout unless an address itself is not ASCII, so that any server takes it."""
    return mail.as_bytes(policy=_WirePolicy(linesep="\r\n", utf8=utf8, cte_type="8bit" if utf8 else "7bit"))


def _mailbox(address: str, name: str = "") -> Address:
    # Not by addr_spec, which takes ASCII only.
    local, _, domain = address.rpartition("@")
    return Address(display_name=name, username=local, domain=domain)


class _WirePolicy(EmailPolicy):
    """Leaves the key on one line: folded, it would arrive with a blank before it or as an encoded word."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        return f"{name}: {value}\r\n".encode("ascii") if name == _KEY else super().fold_binary(name, value)
