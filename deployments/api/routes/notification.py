"""The channels as they are configured, and a test of each."""

from fastapi import APIRouter

from deployments.api.deps import CallerDep, NotificationTestDep
from deployments.api.examples.notifications import NOTIFICATION_CONFIG, NOTIFICATION_TEST
from deployments.api.responses import problems, shows
from deployments.api.views.notification_test import ChannelTest, ChannelTestReport, NotificationConfig

router = APIRouter(prefix="/api/notification", tags=["notification"])


@router.get("/config", responses=shows(NOTIFICATION_CONFIG) | problems(503))
async def get_notification_config(channels: NotificationTestDep) -> NotificationConfig:
    """Which channels can deliver, and why the others cannot. It holds no password, URL or token."""
    return await channels.config()


@router.post("/test", responses=shows(NOTIFICATION_TEST) | problems(400, 413, 415, 422, 503))
async def try_notification(body: ChannelTest, channels: NotificationTestDep, caller: CallerDep) -> ChannelTestReport:
    """Sends a test message through one channel now, once, and answers what the receiving server said.

    It ignores preferences and quiet hours. A message that cannot be delivered is `success: false` with the reason; a
    channel that is not configured is 400 with what to set. E-mail goes to SMTP_TO, or to those of SMTP_TO and
    SMTP_TEST_RECIPIENTS that are named, and to nobody else; a webhook goes to DEFAULT_WEBHOOK_URL only. The answer
    comes within 15 s. A receiver of webhooks sees `"type": "test"`.
    """
    return await channels.send(body, caller)
