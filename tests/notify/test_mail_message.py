"""The e-mail of an alert, as any mail program reads it."""

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

import pytest
from hypothesis import given

from notify.mail_address import canonical_address
from notify.mail_message import LARGEST_PICTURE_BYTES, compose, wire_bytes
from notify.message import AlertMessage
from tests.notify.messages import PICTURE, alert
from tests.notify.test_render import HOSTILE

EXPECTED_HEADERS = {
    "subject", "from", "to", "date", "message-id", "idempotency-key", "auto-submitted", "mime-version", "content-type"
}  # fmt: skip


def read_back(message: AlertMessage, *, utf8: bool = False) -> EmailMessage:
    wire = wire_bytes(compose(message, "home@example.com", "me@example.com"), utf8=utf8)
    parsed = BytesParser(policy=default).parsebytes(wire)
    assert isinstance(parsed, EmailMessage)
    return parsed


def part(mail: EmailMessage, kind: str) -> EmailMessage:
    (found,) = [piece for piece in mail.walk() if piece.get_content_type() == kind]
    assert isinstance(found, EmailMessage)
    return found


def test_it_is_a_text_with_the_same_as_a_page_and_the_picture_inline_in_it() -> None:
    mail = read_back(alert())

    kinds = [piece.get_content_type() for piece in mail.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/jpeg"]
    picture = part(mail, "image/jpeg")
    assert picture.get_content() == PICTURE
    assert picture.get_content_disposition() == "inline"
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in part(mail, "text/html").get_content()


def test_without_a_picture_the_page_stands_alone() -> None:
    mail = read_back(alert(picture=None))

    assert [piece.get_content_type() for piece in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert "<img" not in part(mail, "text/html").get_content()


def test_a_picture_too_large_to_send_is_left_out_and_the_alert_goes() -> None:
    mail = read_back(alert(picture=b"\xff" * (LARGEST_PICTURE_BYTES + 1)))

    assert "image/jpeg" not in [piece.get_content_type() for piece in mail.walk()]


def test_every_try_has_the_same_message_id_and_another_alert_has_another() -> None:
    first, again, other = (read_back(alert(idempotency_key=key)) for key in ("one", "one", "two"))

    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"] != other["Message-ID"]
    assert first["Message-ID"].endswith("@example.com>")


@pytest.mark.parametrize("length", [1, 36, 64, 77, 78, 200])
def test_a_key_of_any_length_is_read_back_as_it_is(length: int) -> None:
    assert read_back(alert(idempotency_key="k" * length))["Idempotency-Key"] == "k" * length


def test_a_subject_of_any_alphabet_is_read_back_as_it_is() -> None:
    mail = read_back(alert(camera_name="Haustür 🚪", summary="Лицо дома"))

    assert mail["Subject"] == "[HIGH 78] Haustür 🚪: Лицо дома"


@given(name=HOSTILE, summary=HOSTILE, rule=HOSTILE)
def test_no_name_adds_a_header_or_a_recipient(name: str, summary: str, rule: str) -> None:
    mail = read_back(alert(camera_name=name, camera_id=name, summary=summary, rule_name=rule, picture=None))

    assert {header.lower() for header in mail} == EXPECTED_HEADERS
    assert [address.addr_spec for address in mail["To"].addresses] == ["me@example.com"]
    assert len(mail.get_all("Subject", [])) == 1


@given(summary=HOSTILE)
def test_every_line_on_the_wire_is_ascii_and_short_enough_for_smtp(summary: str) -> None:
    wire = wire_bytes(compose(alert(summary=summary * 20), "home@example.com", "me@example.com"), utf8=False)

    assert wire.isascii()
    assert max(map(len, wire.split(b"\r\n"))) <= 998
    assert b"\n" not in wire.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("me@example.com", "me@example.com"),
        (" Me.Too+home@EXAMPLE.com. ", "Me.Too+home@example.com"),
        ("me@localhost", "me@localhost"),
        ("me@bücher.example", "me@xn--bcher-kva.example"),
        ("jürgen@example.com", "jürgen@example.com"),
    ],
)
def test_an_address_is_taken_in_one_spelling(text: str, address: str) -> None:
    assert canonical_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "me",
        "@example.com",
        "me@",
        "me@example.com, you@example.com",
        "me@example.com\r\nRCPT TO:<x@y>",
        "Me <me@example.com>",
        "<me@example.com>",
        '"a b"@example.com',
        "me@127.0.0.1",
        "me@[127.0.0.1]",
        "a b@c.de",
        ".me@example.com",
        "me.@example.com",
        "m..e@example.com",
        "me\x00@example.com",
        "me@exa mple.com",
        "a@b@c.de",
        "m\u202ee@example.com",
        "x" * 65 + "@example.com",
        "me@example.com\n",
        "m\ud800e@example.com",
    ],
)
def test_what_is_not_exactly_one_plain_address_is_none(text: str) -> None:
    assert canonical_address(text) is None
