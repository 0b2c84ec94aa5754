"""The channels as they are configured, and a test message through one of them: the same code as sends the alerts."""

import asyncio
import hmac
import logging
from dataclasses import replace
from uuid import uuid4

from pydantic import Field, SecretStr, StrictStr

from actors.tools.channels import notify_config
from deployments.api.errors import BadRequest, InvalidField
from deployments.api.parameters import Checked
from domain.clock import Clock
from notify.channels import build_channels, is_mail_host, recipients, why_not
from notify.mail_address import canonical_address
from notify.message import AlertMessage
from notify.outcome import Channel, Delivered, Failed
from notify.text import one_line
from schemas.alert_rule import Channel as Way
from schemas.audit import AuditAction, AuditStatus, Caller, NewAuditEntry
from schemas.frozen import Frozen, UtcTime
from schemas.severity import Severity
from settings import Settings
from storage.audit import Audit
from storage.preferences import Preferences

logger = logging.getLogger(__name__)

MOST_RECIPIENTS = 10
TEST_SECONDS = 14.0
"""A person waits for the answer; the dispatcher, for whom nobody waits, is more patient."""

SUMMARY = "This is a test: this channel works, and nothing has happened."


class NotificationConfig(Frozen):
    notification_enabled: bool
    """The preference: whether anybody is notified at all."""
    email_configured: bool
    webhook_configured: bool
    push_configured: bool
    available_channels: tuple[Way, ...]
    smtp_host: str | None
    """Null when none is set, or when what is set is no host name."""
    smtp_port: int
    smtp_from_address: str
    not_configured: dict[Way, str]
    """Why each other channel cannot deliver, and what to set."""


class ChannelTest(Checked):
    channel: Way
    email_recipients: tuple[StrictStr, ...] | None = Field(default=None, max_length=MOST_RECIPIENTS)
    """Of SMTP_TO and SMTP_TEST_RECIPIENTS; left out, null or empty: all of SMTP_TO."""
    webhook_url: SecretStr | None = Field(default=None, max_length=2048)
    """DEFAULT_WEBHOOK_URL, or nothing: a test goes nowhere else."""


class TriedRecipient(Frozen):
    recipient: str
    """An address; of a webhook or a push service a name that keeps its secret."""
    delivered: bool
    receipt: str | None
    """What the receiving server answered."""
    error: str | None
    """Why it was not delivered."""


class ChannelTestReport(Frozen):
    channel: Way
    success: bool
    """Whether every recipient's server took the message."""
    message: str
    results: tuple[TriedRecipient, ...]
    timestamp: UtcTime


class NotificationTest:
    """Sends to whom the operator has configured and to nobody else, so that no caller makes it an open relay."""

    def __init__(self, settings: Settings, preferences: Preferences, audit: Audit, clock: Clock) -> None:
        self._config = notify_config(settings)
        further = tuple(to for text in settings.smtp_test_recipients if (to := canonical_address(text)))
        self._wider = replace(self._config, smtp_to=(*self._config.smtp_to, *further))
        self._timezone = settings.timezone
        self._preferences = preferences
        self._audit = audit
        self._clock = clock
        self._channels: dict[str, Channel] | None = None

    async def config(self) -> NotificationConfig:
        reasons = {way: why_not(self._config, way) for way in Way}
        host = self._config.smtp_host
        return NotificationConfig(
            notification_enabled=(await self._preferences.get()).enabled,
            **{f"{way}_configured": reason is None for way, reason in reasons.items()},
            available_channels=tuple(way for way, reason in reasons.items() if reason is None),
            smtp_host=host if host and is_mail_host(host) else None,
            smtp_port=self._config.smtp_port,
            smtp_from_address=self._config.smtp_from_address,
            not_configured={way: reason for way, reason in reasons.items() if reason is not None},
        )

    async def send(self, test: ChannelTest, caller: Caller) -> ChannelTestReport:
        """Raises BadRequest for a channel that is not configured, InvalidField for somebody else's address."""
        if reason := why_not(self._config, test.channel):
            raise BadRequest("channel", reason)
        to = self._addressees(test)
        channel = self._built()[test.channel]
        message = self._message()
        results = tuple(await asyncio.gather(*(_try(channel, recipient, message) for recipient in to)))
        reached = sum(result.delivered for result in results)
        report = ChannelTestReport(
            channel=test.channel,
            success=reached == len(results),
            message=_told(results, reached),
            results=results,
            timestamp=message.created_at,
        )
        await self._audit.record(_entry(report, caller))
        return report

    def _addressees(self, test: ChannelTest) -> tuple[str, ...]:
        named = test.email_recipients or ()
        if test.channel is not Way.EMAIL and named:
            raise InvalidField("email_recipients", f"these are for the channel email, not for {test.channel}")
        self._check_webhook(test)
        if not named:
            return recipients(self._config, test.channel)
        allowed = set(recipients(self._wider, "email"))
        wanted = {text: canonical_address(text) for text in named}
        refused = [one_line(text, 100) for text, address in wanted.items() if address not in allowed]
        if refused:
            raise InvalidField(
                "email_recipients",
                f"tests go to SMTP_TO and SMTP_TEST_RECIPIENTS only, not to {', '.join(refused)}",
            )
        return tuple(dict.fromkeys(address for address in wanted.values() if address is not None))

    def _check_webhook(self, test: ChannelTest) -> None:
        if test.webhook_url is None:
            return
        if test.channel is not Way.WEBHOOK:
            raise InvalidField("webhook_url", f"this is for the channel webhook, not for {test.channel}")
        configured = self._config.webhook_url.get_secret_value().strip() if self._config.webhook_url else ""
        given = test.webhook_url.get_secret_value().strip()
        if not hmac.compare_digest(given.encode(errors="replace"), configured.encode()):
            raise InvalidField("webhook_url", "tests go to DEFAULT_WEBHOOK_URL only; leave this out")

    def _built(self) -> dict[str, Channel]:
        if self._channels is None:
            self._channels = build_channels(self._wider)
        return self._channels

    def _message(self) -> AlertMessage:
        now, identity = self._clock.now(), uuid4()
        return AlertMessage(
            is_test=True,
            idempotency_key=f"test-{identity}",
            alert_id=identity,
            severity=Severity.LOW,
            created_at=now,
            event_id=0,
            started_at=now,
            risk_score=0,
            risk_level=Severity.LOW,
            summary=SUMMARY,
            reasoning="Somebody asked for a test of this channel.",
            object_types=(),
            assessment="final",
            assessed_by="nobody",
            camera_id="test",
            camera_name="Test",
            rule_id=None,
            rule_name="Test of a notification channel",
            matched_conditions={},
            timezone=self._timezone,
        )


async def _try(channel: Channel, recipient: str, message: AlertMessage) -> TriedRecipient:
    try:
        async with asyncio.timeout(TEST_SECONDS):
            outcome = await channel.send(recipient, message)
    except TimeoutError:
        outcome = Failed(f"there was no answer within {TEST_SECONDS:g} s", permanent=False)
    except Exception as error:  # what an alert's delivery would be told too
        logger.exception("a test for %s", recipient)
        outcome = Failed(f"{type(error).__name__} while it was sent", permanent=False)
    delivered = isinstance(outcome, Delivered)
    return TriedRecipient(
        recipient=recipient,
        delivered=delivered,
        receipt=outcome.receipt if isinstance(outcome, Delivered) else None,
        error=None if isinstance(outcome, Delivered) else outcome.reason,
    )


def _told(results: tuple[TriedRecipient, ...], reached: int) -> str:
    error = next((result.error for result in results if result.error), None)
    told = f"delivered to {reached} of {len(results)}"
    return told if error is None else f"{told}: {error}"


def _entry(report: ChannelTestReport, caller: Caller) -> NewAuditEntry:
    return NewAuditEntry(
        action=AuditAction.NOTIFICATION_TEST,
        resource_type="notification_channel",
        resource_id=report.channel,
        caller=caller,
        details={
            "results": [result.model_dump(include={"recipient", "delivered", "error"}) for result in report.results]
        },
        status=AuditStatus.SUCCESS if report.success else AuditStatus.FAILURE,
    )
