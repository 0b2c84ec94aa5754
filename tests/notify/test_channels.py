"""Which channels a configuration makes, and why not."""

import pytest
from pydantic import SecretStr

from notify.channels import NotifyConfig, build_channels, recipients, why_not
from notify.outcome import Delivered
from notify.push import push_recipient
from tests.notify.http_sink import HttpSink, answer
from tests.notify.messages import alert
from tests.notify.smtp_sink import SmtpSink

# Apprise, loading its plug-ins, imports a module of the standard library that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

EVERYTHING = NotifyConfig(
    smtp_host="mail.example.com",
    smtp_to=("me@example.com", "you@example.com"),
    webhook_url=SecretStr("https://hooks.example.com/T0K3N?key=S3CR3T"),
    push_urls=(SecretStr("ntfy://ntfy.example/S3CR3T"), SecretStr("json://127.0.0.1:9/x")),
    smtp_password=SecretStr("S3CR3T"),
    webhook_secret=SecretStr("S3CR3T"),
)


def test_an_empty_configuration_has_no_channel_and_says_what_to_set_for_each() -> None:
    empty = NotifyConfig()

    assert build_channels(empty) == {}
    assert why_not(empty, "email") == "email is not configured: set SMTP_HOST and SMTP_TO"
    assert why_not(empty, "webhook") == "webhook is not configured: set DEFAULT_WEBHOOK_URL"
    assert why_not(empty, "push") == "push is not configured: set PUSH_URLS"
    assert [recipients(empty, name) for name in ("email", "webhook", "push")] == [(), (), ()]


def test_a_whole_configuration_has_every_channel_and_no_excuse() -> None:
    assert set(build_channels(EVERYTHING)) == {"email", "webhook", "push"}
    assert [why_not(EVERYTHING, name) for name in ("email", "webhook", "push")] == [None, None, None]


def test_recipients_are_named_without_their_secrets() -> None:
    assert recipients(EVERYTHING, "email") == ("me@example.com", "you@example.com")
    assert recipients(EVERYTHING, "webhook") == ("https://hooks.example.com/…",)
    assert recipients(EVERYTHING, "push") == (
        push_recipient("ntfy://ntfy.example/S3CR3T"),
        push_recipient("json://127.0.0.1:9/x"),
    )


def test_a_configuration_does_not_print_its_secrets() -> None:
    assert "S3CR3T" not in repr(EVERYTHING)
    assert "T0K3N" not in repr(EVERYTHING)


def test_a_channel_that_does_not_exist_has_a_reason() -> None:
    assert why_not(EVERYTHING, "sms") == "there is no channel 'sms'; there are email, webhook, push"
    assert recipients(EVERYTHING, "sms") == ()


@pytest.mark.parametrize(
    ("config", "channel", "reason"),
    [
        (NotifyConfig(smtp_to=("me@example.com",)), "email", "email is not configured: set SMTP_HOST"),
        (NotifyConfig(smtp_host="mail.example.com"), "email", "email is not configured: set SMTP_TO"),
        (NotifyConfig(smtp_host="m", smtp_to=("nobody",)), "email", "SMTP_TO holds no e-mail address"),
        (
            NotifyConfig(smtp_host="m", smtp_to=("me@example.com",), smtp_from_address="nobody"),
            "email",
            "SMTP_FROM_ADDRESS is not an e-mail address",
        ),
        (
            NotifyConfig(smtp_host="me:S3CR3T@mail.example.com", smtp_to=("me@example.com",)),
            "email",
            "SMTP_HOST is not a host name; write it without scheme, user, password and port",
        ),
        (NotifyConfig(smtp_host="smtp://mail", smtp_to=("me@example.com",)), "email", "SMTP_HOST is not a host name"),
        (NotifyConfig(webhook_url=SecretStr("ftp://x.example/")), "webhook", "must start with https://"),
        (
            NotifyConfig(webhook_url=SecretStr("https://x.example/"), webhook_allowed_hosts=("10.0.0.1/8",)),
            "webhook",
            "WEBHOOK_ALLOWED_HOSTS: '10.0.0.1/8'",
        ),
        (NotifyConfig(push_urls=(SecretStr(" "),)), "push", "set PUSH_URLS"),
    ],
)
def test_a_channel_that_cannot_work_is_not_built_and_says_why(config: NotifyConfig, channel: str, reason: str) -> None:
    assert reason in (why_not(config, channel) or "")
    assert channel not in build_channels(config)


@pytest.mark.parametrize("host", ["mail.example.com", "localhost", "mail_relay", "10.0.0.7", "::1", "[::1]", "Mail."])
def test_a_mail_host_may_be_a_name_or_an_address(host: str) -> None:
    assert why_not(NotifyConfig(smtp_host=host, smtp_to=("me@example.com",)), "email") is None


def test_one_wrong_address_among_others_stays_a_recipient_whose_delivery_will_fail_visibly() -> None:
    config = NotifyConfig(smtp_host="m", smtp_to=("me@example.com", "nobody"))

    assert why_not(config, "email") is None
    assert recipients(config, "email") == ("me@example.com", "nobody")


def test_a_recipient_named_twice_is_one() -> None:
    config = NotifyConfig(
        smtp_host="m",
        smtp_to=("me@example.com", "me@EXAMPLE.com"),
        push_urls=(SecretStr("json://a"), SecretStr("json://a")),
    )

    assert recipients(config, "email") == ("me@example.com",)
    assert len(recipients(config, "push")) == 1


async def test_every_recipient_of_every_channel_is_reached_through_what_was_built() -> None:
    async with SmtpSink() as mail, HttpSink(answer(200)) as hook, HttpSink(answer(200)) as push:
        config = NotifyConfig(
            smtp_host="127.0.0.1",
            smtp_port=mail.port,
            smtp_to=("me@example.com", "you@example.com"),
            webhook_url=SecretStr(hook.url),
            webhook_allowed_hosts=("127.0.0.1",),
            webhook_secret=SecretStr("sesame"),
            push_urls=(SecretStr(f"json://127.0.0.1:{push.port}/"),),
        )

        for name, channel in build_channels(config).items():
            for recipient in recipients(config, name):
                assert isinstance(await channel.send(recipient, alert()), Delivered)

        assert sorted(mail.mails[n].recipients[0] for n in range(2)) == ["me@example.com", "you@example.com"]
        assert "x-signature-sha256" in hook.received[0].headers
        assert len(push.received) == 1
