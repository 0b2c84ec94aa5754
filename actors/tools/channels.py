"""The channels as the operator has set them."""

from notify.channels import NotifyConfig
from notify.email import SmtpTls
from settings import Settings


def notify_config(settings: Settings) -> NotifyConfig:
    return NotifyConfig(
        smtp_host=settings.smtp_host,
        smtp_port=settings.smtp_port,
        smtp_user=settings.smtp_user,
        smtp_password=settings.smtp_password,
        smtp_from_address=settings.smtp_from_address,
        smtp_tls=SmtpTls(settings.smtp_tls),
        smtp_to=settings.smtp_to,
        webhook_url=settings.default_webhook_url,
        webhook_allowed_hosts=settings.webhook_allowed_hosts,
        webhook_secret=settings.webhook_secret,
        push_urls=settings.push_urls,
    )
