"""The e-mail channel against a real SMTP server on loopback."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr

from notify.email import EmailChannel, SmtpServer, SmtpTls
from notify.outcome import Delivered, Failed
from tests.notify.certificates import Authority
from tests.notify.messages import alert
from tests.notify.smtp_sink import SmtpSink

ME = "me@example.com"
# On Linux this reaches the sink on loopback, and is not a loopback address: it stands for a server elsewhere.
ELSEWHERE = "0.0.0.0"


async def send(sink: SmtpSink, *, host: str = "127.0.0.1", to: str = ME, **options: Any) -> Delivered | Failed:
    """One try; the limit only keeps a broken channel from hanging the tests."""
    server = {name: options.pop(name) for name in ("tls_mode", "user", "password") if name in options}
    password = SecretStr(server["password"]) if "password" in server else None
    mode = server.get("tls_mode", SmtpTls.AUTO)
    channel = EmailChannel(
        SmtpServer(host, sink.port, mode, server.get("user"), password), "home@example.com", [to], **options
    )
    async with asyncio.timeout(30):
        return await channel.send(to, alert())


async def test_an_accepted_mail_is_delivered_with_the_servers_words_as_receipt() -> None:
    async with SmtpSink() as sink:
        outcome = await send(sink)

        assert outcome == Delivered("accepted by 127.0.0.1: 2.0.0 OK: queued as 4711")
        (mail,) = sink.mails
        assert (mail.sender, mail.recipients) == ("home@example.com", [ME])
        assert mail.message["Idempotency-Key"] == alert().idempotency_key
        assert mail.message["Subject"] == "[HIGH 78] Front Door: A person stands at the door"


async def test_only_configured_recipients_get_mail() -> None:
    async with SmtpSink() as sink:
        channel = EmailChannel(SmtpServer("127.0.0.1", sink.port), "home@example.com", [ME])

        outcome = await channel.send("victim@example.com", alert())

        assert outcome == Failed("the recipient is not one of SMTP_TO", permanent=True)
        assert sink.mails == []


async def test_a_configured_recipient_that_is_no_address_fails_for_good() -> None:
    async with SmtpSink() as sink:
        outcome = await send(sink, to="not an address")

        assert outcome == Failed("the recipient is not an e-mail address", permanent=True)


@pytest.mark.parametrize("answer", ["450 4.2.1 mailbox busy", "452 4.2.2 mailbox full", "421 4.3.2 shutting down"])
async def test_a_recipient_refused_for_now_is_a_temporary_failure(answer: str) -> None:
    async with SmtpSink(rcpt_answer=answer) as sink:
        outcome = await send(sink)

        assert isinstance(outcome, Failed)
        assert not outcome.permanent
        assert answer[:3] in outcome.reason


@pytest.mark.parametrize("answer", ["550 5.1.1 no such user", "553 5.1.3 bad address"])
async def test_a_recipient_refused_is_a_permanent_failure(answer: str) -> None:
    async with SmtpSink(rcpt_answer=answer) as sink:
        outcome = await send(sink)

        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert outcome.reason == f"mail server 127.0.0.1:{sink.port}: refused the recipient: {answer}"


@pytest.mark.parametrize(("answer", "permanent"), [("451 4.7.1 greylisted", False), ("554 5.7.1 spam", True)])
async def test_a_refused_mail_is_judged_by_its_code(answer: str, permanent: bool) -> None:
    async with SmtpSink(data_answer=answer) as sink:
        outcome = await send(sink)

        assert isinstance(outcome, Failed)
        assert outcome.permanent is permanent
        assert answer in outcome.reason


async def test_words_of_the_server_are_cleaned_and_bounded() -> None:
    async with SmtpSink(rcpt_answer="550 \x1b[31mno\x07 " + "x" * 400) as sink:
        outcome = await send(sink)

        assert isinstance(outcome, Failed)
        assert "\x1b" not in outcome.reason
        assert len(outcome.reason) < 300


async def test_a_server_that_hangs_is_given_up_as_a_temporary_failure() -> None:
    async with SmtpSink(hang_at="RCPT") as sink:
        outcome = await send(sink, command_seconds=0.2)

        assert isinstance(outcome, Failed)
        assert not outcome.permanent
        assert "did not answer in time" in outcome.reason


async def test_a_whole_conversation_that_takes_too_long_is_given_up() -> None:
    async with SmtpSink(hang_at="RCPT") as sink:
        outcome = await send(sink, command_seconds=20.0, total_seconds=0.3)

        assert isinstance(outcome, Failed)
        assert not outcome.permanent


async def test_a_farewell_that_hangs_does_not_undo_the_delivery() -> None:
    async with SmtpSink(hang_at="QUIT") as sink:
        outcome = await send(sink, total_seconds=2.0, farewell_seconds=2.5)

        assert isinstance(outcome, Delivered)
        assert len(sink.mails) == 1


async def test_a_server_that_is_not_there_is_a_temporary_failure() -> None:
    async with SmtpSink() as sink:
        pass

    outcome = await send(sink)

    assert outcome == Failed(f"mail server 127.0.0.1:{sink.port}: cannot be reached", permanent=False)


async def test_a_server_that_speaks_something_else_is_a_failure_and_no_exception() -> None:
    hung_up = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()
        hung_up.set()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        channel = EmailChannel(
            SmtpServer("127.0.0.1", server.sockets[0].getsockname()[1]), "home@example.com", [ME], command_seconds=2.0
        )
        outcome = await channel.send(ME, alert())
        await hung_up.wait()

    assert isinstance(outcome, Failed)


async def test_starttls_is_used_where_it_is_offered(authority: Authority) -> None:
    async with SmtpSink(starttls=authority.server("127.0.0.1")) as sink:
        assert isinstance(await send(sink, tls=authority.trusting()), Delivered)
        assert sink.mails[0].encrypted


async def test_a_plain_server_gets_the_mail_plain_when_nothing_is_demanded() -> None:
    async with SmtpSink() as sink:
        assert isinstance(await send(sink), Delivered)
        assert not sink.mails[0].encrypted


async def test_starttls_that_is_demanded_and_not_offered_is_a_permanent_failure() -> None:
    async with SmtpSink() as sink:
        outcome = await send(sink, tls_mode=SmtpTls.STARTTLS)

        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert sink.mails == []


async def test_tls_from_the_first_byte(authority: Authority) -> None:
    async with SmtpSink(tls=authority.server("127.0.0.1")) as sink:
        assert isinstance(await send(sink, tls_mode=SmtpTls.TLS, tls=authority.trusting()), Delivered)


async def test_no_encryption_when_none_is_wanted(authority: Authority) -> None:
    async with SmtpSink(starttls=authority.server("127.0.0.1")) as sink:
        assert isinstance(await send(sink, tls_mode=SmtpTls.NONE), Delivered)
        assert not sink.mails[0].encrypted


@pytest.mark.parametrize("mode", [SmtpTls.STARTTLS, SmtpTls.TLS])
async def test_a_certificate_that_cannot_be_verified_gets_no_mail(authority: Authority, mode: SmtpTls) -> None:
    context = authority.server(ELSEWHERE)
    offered = {"tls": context} if mode is SmtpTls.TLS else {"starttls": context}
    async with SmtpSink(**offered) as sink:  # type: ignore[arg-type]
        outcome = await send(sink, host=ELSEWHERE, tls_mode=mode)

        assert isinstance(outcome, Failed)
        assert "certificate cannot be verified" in outcome.reason
        assert sink.mails == []


async def test_a_self_signed_certificate_is_taken_on_this_machine(authority: Authority) -> None:
    async with SmtpSink(starttls=authority.server("mail.example")) as sink:
        assert isinstance(await send(sink), Delivered)
        assert sink.mails[0].encrypted


async def test_a_login_over_tls_works(authority: Authority) -> None:
    async with SmtpSink(starttls=authority.server(ELSEWHERE), password="pässword", auth_needs_tls=True) as sink:
        outcome = await send(sink, host=ELSEWHERE, user="me", password="pässword", tls=authority.trusting())

        assert isinstance(outcome, Delivered)
        assert sink.mails[0].login == b"me"


async def test_a_password_is_never_sent_unencrypted_to_another_machine() -> None:
    async with SmtpSink(password="pw") as sink:
        outcome = await send(sink, host=ELSEWHERE, user="me", password="pw")

        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert "the password is not sent" in outcome.reason
        assert sink.logins_tried == 0
        assert sink.mails == []


async def test_on_this_machine_a_login_needs_no_encryption() -> None:
    async with SmtpSink(password="pw") as sink:
        assert isinstance(await send(sink, user="me", password="pw"), Delivered)


async def test_a_refused_login_is_a_permanent_failure_without_the_password() -> None:
    async with SmtpSink(password="right") as sink:
        outcome = await send(sink, user="me", password="wr0ng-s3cret")

        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert "refused the login: 535" in outcome.reason
        assert "wr0ng-s3cret" not in outcome.reason


async def test_a_server_without_logins_is_told_of() -> None:
    async with SmtpSink() as sink:
        outcome = await send(sink, user="me", password="pw")

        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert "No suitable authentication method" in outcome.reason


async def test_a_name_outside_ascii_needs_a_server_that_takes_it() -> None:
    async with SmtpSink() as sink:
        refused = await send(sink, to="jürgen@example.com")
    async with SmtpSink(utf8=True) as sink:
        taken = await send(sink, to="jürgen@example.com")

        assert isinstance(refused, Failed)
        assert refused.permanent
        assert isinstance(taken, Delivered)
        assert sink.mails[0].recipients == ["jürgen@example.com"]


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost", True), ("127.0.0.9", True), ("::1", True), ("mail.example.com", False), ("0.0.0.0", False)],
)
def test_which_servers_are_on_this_machine(host: str, here: bool) -> None:
    assert SmtpServer(host, 25).on_this_machine is here


def test_a_server_does_not_print_its_password() -> None:
    assert "s3cret" not in repr(SmtpServer("mail.example.com", 587, password=SecretStr("s3cret")))
