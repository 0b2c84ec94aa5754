"""/api/notification: the channels as they are configured, and a test that really goes out."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from deployments.api.app import create_app
from deployments.api.deps import Services
from deployments.api.views import notification_test
from settings import Settings
from tests.notify.http_sink import HttpSink, answer, hang
from tests.notify.smtp_sink import SmtpSink

# Apprise, loading its plug-ins, imports a module of the standard library that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

CONFIG = "/api/notification/config"
TEST = "/api/notification/test"
SECRETS = ("pa55word", "h00ktoken", "s1gning", "pushtoken")

Open = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def configured(settings: Settings) -> AsyncIterator[Open]:
    """An API whose channels are set up as asked."""
    async with AsyncExitStack() as stack:

        async def opened(**values: Any) -> httpx.AsyncClient:
            services = await Services.open(settings.model_copy(update=values))
            stack.push_async_callback(services.close)
            transport = httpx.ASGITransport(create_app(services))
            return await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://testserver"))

        yield opened


def mail(sink: SmtpSink, **values: Any) -> dict[str, Any]:
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": sink.port,
        "smtp_from_address": "alerts@example.com",
        "smtp_to": ("me@example.com", "you@example.com"),
        **values,
    }


def hook(sink: HttpSink) -> dict[str, Any]:
    return {"default_webhook_url": SecretStr(f"{sink.url}/h00ktoken"), "webhook_allowed_hosts": ("127.0.0.1",)}


async def audited(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.get("/api/audit", params={"action": "notification_test"})).json()["logs"]
    return found


async def test_a_system_without_channels_says_what_to_set_for_each(api: httpx.AsyncClient) -> None:
    answered = await api.get(CONFIG)
    assert (answered.status_code, answered.json()) == (
        200,
        {
            "notification_enabled": True,
            "email_configured": False,
            "webhook_configured": False,
            "push_configured": False,
            "available_channels": [],
            "smtp_host": None,
            "smtp_port": 587,
            "smtp_from_address": "home-security@localhost",
            "not_configured": {
                "email": "email is not configured: set SMTP_HOST and SMTP_TO",
                "webhook": "webhook is not configured: set DEFAULT_WEBHOOK_URL",
                "push": "push is not configured: set PUSH_URLS",
            },
        },
    )


async def test_the_documented_configuration_is_answered_without_any_secret(configured: Open) -> None:
    api = await configured(
        smtp_host="smtp.example.com",
        smtp_from_address="alerts@example.com",
        smtp_to=("me@example.com",),
        smtp_user="mailer",
        smtp_password=SecretStr("pa55word"),
        default_webhook_url=SecretStr("https://hooks.example.com/h00ktoken"),
        webhook_secret=SecretStr("s1gning"),
    )
    answered = await api.get(CONFIG)
    assert answered.json() == {
        "notification_enabled": True,
        "email_configured": True,
        "webhook_configured": True,
        "push_configured": False,
        "available_channels": ["email", "webhook"],
        "smtp_host": "smtp.example.com",
        "smtp_port": 587,
        "smtp_from_address": "alerts@example.com",
        "not_configured": {"push": "push is not configured: set PUSH_URLS"},
    }
    assert not any(secret in answered.text for secret in SECRETS)


async def test_whether_notifications_are_on_is_the_preference(api: httpx.AsyncClient) -> None:
    await api.put("/api/notification-preferences", json={"enabled": False})
    assert (await api.get(CONFIG)).json()["notification_enabled"] is False


@pytest.mark.parametrize("host", ["mailer:pa55word@smtp.example.com", "smtp://mailer:pa55word@smtp.example.com", "a b"])
async def test_a_mail_host_that_holds_more_than_a_name_is_shown_to_nobody(configured: Open, host: str) -> None:
    api = await configured(smtp_host=host, smtp_to=("me@example.com",))
    config = await api.get(CONFIG)
    assert (config.json()["email_configured"], config.json()["smtp_host"]) == (False, None)
    tried = await api.post(TEST, json={"channel": "email"})
    assert tried.status_code == 400
    assert "SMTP_HOST is not a host name" in tried.json()["detail"]
    assert "pa55word" not in config.text + tried.text


@pytest.mark.parametrize("channel", ["email", "webhook", "push"])
async def test_a_channel_that_is_not_configured_is_400_with_what_to_set(api: httpx.AsyncClient, channel: str) -> None:
    answered = await api.post(TEST, json={"channel": channel})
    assert (answered.status_code, answered.headers["content-type"]) == (400, "application/problem+json")
    assert f"{channel} is not configured: set " in answered.json()["detail"]
    assert await audited(api) == []


async def test_the_documented_test_reaches_the_mail_server(configured: Open) -> None:
    async with SmtpSink() as sink:
        api = await configured(**mail(sink, smtp_to=("test@example.com",)))
        answered = await api.post(TEST, json={"channel": "email", "email_recipients": ["test@example.com"]})
        assert answered.status_code == 200
        told = answered.json()
        assert (told["channel"], told["success"], told["message"]) == ("email", True, "delivered to 1 of 1")
        (result,) = told["results"]
        assert result == {
            "recipient": "test@example.com",
            "delivered": True,
            "receipt": "accepted by 127.0.0.1: 2.0.0 OK: queued as 4711",
            "error": None,
        }
        (received,) = sink.mails
        assert (received.sender, received.recipients) == ("alerts@example.com", ["test@example.com"])
        assert "This is a test" in received.message["Subject"]
        (entry,) = await audited(api)
        assert (entry["resource_type"], entry["resource_id"], entry["status"]) == (
            "notification_channel",
            "email",
            "success",
        )
        assert entry["details"] == {"results": [{"recipient": "test@example.com", "delivered": True, "error": None}]}


@pytest.mark.parametrize("named", [{}, {"email_recipients": None}, {"email_recipients": []}])
async def test_without_recipients_everybody_of_smtp_to_gets_it(configured: Open, named: dict[str, Any]) -> None:
    async with SmtpSink() as sink:
        api = await configured(**mail(sink))
        told = (await api.post(TEST, json={"channel": "email"} | named)).json()
        assert [result["recipient"] for result in told["results"]] == ["me@example.com", "you@example.com"]
        assert sorted(one.recipients[0] for one in sink.mails) == ["me@example.com", "you@example.com"]


async def test_an_address_in_another_spelling_is_the_same_and_gets_it_once(configured: Open) -> None:
    async with SmtpSink() as sink:
        api = await configured(**mail(sink))
        body = {"channel": "email", "email_recipients": ["me@EXAMPLE.com", " me@example.com", "me@example.com"]}
        assert (await api.post(TEST, json=body)).json()["success"]
        assert [one.recipients for one in sink.mails] == [["me@example.com"]]


@pytest.mark.parametrize(
    "stranger",
    [
        "stranger@example.org",
        "me@example.com\r\nRCPT TO:<stranger@example.org>",
        "me@example.com, stranger@example.org",
        "me@example.com\nBcc: stranger@example.org",
        "Me <me@example.com>",
        "",
    ],
)
async def test_it_is_no_open_relay(configured: Open, stranger: str) -> None:
    async with SmtpSink() as sink:
        api = await configured(**mail(sink))
        body = {"channel": "email", "email_recipients": ["me@example.com", stranger]}
        answered = await api.post(TEST, json=body)
        assert answered.status_code == 422
        (error,) = answered.json()["errors"]
        assert error["field"] == "email_recipients"
        assert (
            "SMTP_TO and SMTP_TEST_RECIPIENTS only, not to " + stranger.split("\r")[0].split("\n")[0]
            in error["message"]
        )
        assert sink.mails == []
        assert await audited(api) == []


async def test_the_operator_may_allow_further_addresses_for_tests(configured: Open) -> None:
    async with SmtpSink() as sink:
        api = await configured(**mail(sink, smtp_test_recipients=("installer@example.org", "nonsense")))
        body = {"channel": "email", "email_recipients": ["installer@example.org"]}
        assert (await api.post(TEST, json=body)).json()["success"]
        assert [one.recipients for one in sink.mails] == [["installer@example.org"]]
        assert (await api.post(TEST, json={"channel": "email", "email_recipients": ["nonsense"]})).status_code == 422
        await api.post(TEST, json={"channel": "email"})
        assert sorted(one.recipients[0] for one in sink.mails[1:]) == ["me@example.com", "you@example.com"]


async def test_what_the_mail_server_refuses_is_told_and_audited_as_a_failure(configured: Open) -> None:
    async with SmtpSink(rcpt_answer="550 5.1.1 no such user") as sink:
        api = await configured(**mail(sink))
        answered = await api.post(TEST, json={"channel": "email", "email_recipients": ["me@example.com"]})
        assert answered.status_code == 200
        told = answered.json()
        assert told["success"] is False
        assert told["message"].startswith("delivered to 0 of 1: mail server 127.0.0.1")
        assert "550" in told["results"][0]["error"]
        (entry,) = await audited(api)
        assert entry["status"] == "failure"
        assert "550" in entry["details"]["results"][0]["error"]


async def test_a_mail_server_that_is_not_there_is_no_success(configured: Open) -> None:
    api = await configured(smtp_host="127.0.0.1", smtp_port=1, smtp_to=("me@example.com",))
    told = (await api.post(TEST, json={"channel": "email"})).json()
    assert (told["success"], told["message"]) == (
        False,
        "delivered to 0 of 1: mail server 127.0.0.1:1: cannot be reached",
    )


async def test_a_server_that_hangs_is_given_up_and_the_api_answers_others_meanwhile(
    configured: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notification_test, "TEST_SECONDS", 1.0)
    async with SmtpSink(hang_at="RCPT") as sink:
        api = await configured(**mail(sink))
        waiting = asyncio.create_task(api.post(TEST, json={"channel": "email"}))
        assert (await api.get("/api/system/config")).status_code == 200
        assert not waiting.done()
        told = (await waiting).json()
        assert told["success"] is False
        assert [result["error"] for result in told["results"]] == ["there was no answer within 1 s"] * 2


def test_a_person_waits_no_longer_than_15_seconds() -> None:
    assert notification_test.TEST_SECONDS < 15


async def test_a_webhook_is_told_that_it_is_a_test(configured: Open) -> None:
    async with HttpSink(answer(200, b"thanks")) as sink:
        api = await configured(**hook(sink), webhook_secret=SecretStr("s1gning"))
        answered = await api.post(TEST, json={"channel": "webhook"})
        told = answered.json()
        assert (told["channel"], told["success"]) == ("webhook", True)
        assert told["results"][0]["receipt"] == "HTTP 200: thanks"
        (received,) = sink.received
        assert (received.json["type"], received.json["event"]["id"]) == ("test", 0)
        assert {"x-signature-sha256", "idempotency-key"} <= set(received.headers)
        entries = (await api.get("/api/audit")).text
        assert not any(secret in answered.text + entries for secret in SECRETS)


async def test_a_webhook_that_answers_with_an_error_is_no_success(configured: Open) -> None:
    async with HttpSink(answer(500, b"broken")) as sink:
        api = await configured(**hook(sink))
        told = (await api.post(TEST, json={"channel": "webhook"})).json()
        assert (told["success"], len(sink.received)) == (False, 1)
        assert "HTTP 500" in told["message"]


async def test_a_webhooks_test_goes_to_the_configured_address_only(configured: Open) -> None:
    async with HttpSink(answer(200)) as sink, HttpSink(answer(200)) as other:
        api = await configured(**hook(sink))
        for url in (f"{other.url}/h00ktoken", "http://169.254.169.254/latest", sink.url, "Ä", "\ud800"):
            body = json.dumps({"channel": "webhook", "webhook_url": url})
            answered = await api.post(TEST, content=body, headers={"Content-Type": "application/json"})
            assert answered.status_code == 422, url
            assert answered.json()["errors"][0]["field"] == "webhook_url"
            assert "h00ktoken" not in answered.text
        assert other.received == sink.received == []
        same = {"channel": "webhook", "webhook_url": f"{sink.url}/h00ktoken"}
        assert (await api.post(TEST, json=same)).json()["success"]


async def test_a_private_address_that_is_not_allowed_is_refused_by_the_same_guard(configured: Open) -> None:
    async with HttpSink(answer(200)) as sink:
        api = await configured(default_webhook_url=SecretStr(sink.url))
        told = (await api.post(TEST, json={"channel": "webhook"})).json()
        assert told["success"] is False
        assert "WEBHOOK_ALLOWED_HOSTS" in told["message"]
        assert sink.received == []


async def test_a_push_service_is_reached_and_named_without_its_secret(configured: Open) -> None:
    async with HttpSink(answer(200)) as sink:
        api = await configured(push_urls=(SecretStr(f"json://127.0.0.1:{sink.port}/pushtoken"),))
        answered = await api.post(TEST, json={"channel": "push"})
        assert answered.json()["success"] is True
        assert answered.json()["results"][0]["recipient"].startswith("json:")
        assert len(sink.received) == 1
        assert "pushtoken" not in answered.text


async def test_a_push_service_that_hangs_does_not_hold_the_api_up(
    configured: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notification_test, "TEST_SECONDS", 1.0)
    async with HttpSink(hang) as sink:
        api = await configured(push_urls=(SecretStr(f"json://127.0.0.1:{sink.port}/pushtoken"),))
        waiting = asyncio.create_task(api.post(TEST, json={"channel": "push"}))
        await sink.asked.wait()
        assert (await api.get("/api/system/config")).status_code == 200
        assert (await waiting).json()["results"][0]["error"] == "there was no answer within 1 s"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "channel"),
        ({"channel": "pigeon"}, "channel"),
        ({"channel": None}, "channel"),
        ({"channel": "email", "email_recipients": "me@example.com"}, "email_recipients"),
        ({"channel": "email", "email_recipients": [7]}, "email_recipients.0"),
        ({"channel": "email", "email_recipients": ["me@example.com"] * 11}, "email_recipients"),
        ({"channel": "webhook", "email_recipients": ["me@example.com"]}, "email_recipients"),
        ({"channel": "email", "webhook_url": "https://example.com"}, "webhook_url"),
        ({"channel": "webhook", "webhook_url": "x" * 2049}, "webhook_url"),
        ({"channel": "email", "subject": "Buy now"}, "subject"),
    ],
)
async def test_a_test_that_cannot_be_is_refused_by_field(configured: Open, body: dict[str, Any], field: str) -> None:
    async with SmtpSink() as smtp, HttpSink(answer(200)) as http:
        api = await configured(**mail(smtp), **hook(http))
        answered = await api.post(TEST, json=body)
        assert (answered.status_code, [error["field"] for error in answered.json()["errors"]]) == (422, [field])
        assert (smtp.mails, http.received) == ([], [])


async def test_preferences_and_quiet_hours_do_not_stop_a_test(configured: Open) -> None:
    async with SmtpSink() as sink:
        api = await configured(**mail(sink))
        await api.put("/api/notification-preferences", json={"enabled": False, "risk_filters": []})
        assert (await api.post(TEST, json={"channel": "email"})).json()["success"]
