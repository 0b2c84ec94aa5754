"""Which channels there are: built from the configuration, with a plain reason for each that there is not."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from notify.allowed_hosts import AllowedHostError, parse_allowed_hosts
from notify.email import EmailChannel, SmtpServer, SmtpTls
from notify.guard import Refused, Resolver, parse_url, shown, system_resolver
from notify.hostname import HostError, canonical_host
from notify.mail_address import canonical_address
from notify.outcome import Channel
from notify.push import PushChannel, push_recipient
from notify.text import one_line
from notify.webhook import WebhookChannel


@dataclass(frozen=True)
class NotifyConfig:
    """What the operator has set; everything that may hold a credential is a SecretStr and prints as stars."""

    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from_address: str = "home-security@localhost"
    smtp_tls: SmtpTls = SmtpTls.AUTO
    smtp_to: tuple[str, ...] = ()
    webhook_url: SecretStr | None = None
    webhook_allowed_hosts: tuple[str, ...] = ()
    webhook_secret: SecretStr | None = None
    push_urls: tuple[SecretStr, ...] = ()


def build_channels(config: NotifyConfig, resolve: Resolver = system_resolver) -> dict[str, Channel]:
    """Only the channels that can work; a name that is missing has its reason in `why_not`, and is no success."""
    build: dict[str, Callable[[], Channel]] = {
        "email": lambda: _email(config),
        "webhook": lambda: _webhook(config, resolve),
        "push": lambda: PushChannel(_push_urls(config)),
    }
    return {name: make() for name, make in build.items() if why_not(config, name) is None}


def recipients(config: NotifyConfig, channel: str) -> tuple[str, ...]:
    """Whom `channel` reaches, each a delivery of its own, by names that may be stored and shown."""
    if why_not(config, channel) is not None:
        return ()
    if channel == "email":
        return _mail_recipients(config)
    if channel == "webhook":
        return (shown(_webhook_url(config)),)
    return tuple(dict.fromkeys(push_recipient(url) for url in _push_urls(config)))


def why_not(config: NotifyConfig, channel: str) -> str | None:
    """Why `channel` cannot deliver anything, and what to set; None when it can."""
    reasons = {"email": _why_no_email, "webhook": _why_no_webhook, "push": _why_no_push}
    if channel not in reasons:
        return f"there is no channel {channel[:40]!r}; there are {', '.join(reasons)}"
    return reasons[channel](config)


def is_mail_host(text: str) -> bool:
    """Whether it is a name or an address and nothing beside it: `user:password@host` must not be shown to anybody."""
    try:
        canonical_host(f"[{text}]" if ":" in text and not text.startswith("[") else text)
    except HostError:
        return False
    return True


def _why_no_email(config: NotifyConfig) -> str | None:
    missing = [name for name, value in (("SMTP_HOST", config.smtp_host), ("SMTP_TO", config.smtp_to)) if not value]
    if missing:
        return f"email is not configured: set {' and '.join(missing)}"
    if canonical_address(config.smtp_from_address) is None:
        return "email cannot work: SMTP_FROM_ADDRESS is not an e-mail address"
    if not is_mail_host(config.smtp_host or ""):
        return "email cannot work: SMTP_HOST is not a host name; write it without scheme, user, password and port"
    # One wrong address among others stays a recipient whose deliveries fail visibly, and costs the others nothing.
    if not any(canonical_address(to) for to in config.smtp_to):
        return "email cannot work: SMTP_TO holds no e-mail address"
    return None


def _why_no_webhook(config: NotifyConfig) -> str | None:
    if not _webhook_url(config):
        return "webhook is not configured: set DEFAULT_WEBHOOK_URL"
    try:
        parse_allowed_hosts(config.webhook_allowed_hosts)
    except AllowedHostError as error:
        return f"webhook cannot work: {error}"
    parsed = parse_url(_webhook_url(config))
    return f"webhook cannot work: DEFAULT_WEBHOOK_URL: {parsed.reason}" if isinstance(parsed, Refused) else None


def _why_no_push(config: NotifyConfig) -> str | None:
    return None if _push_urls(config) else "push is not configured: set PUSH_URLS"


def _email(config: NotifyConfig) -> EmailChannel:
    sender = canonical_address(config.smtp_from_address)
    assert config.smtp_host
    assert sender
    server = SmtpServer(config.smtp_host, config.smtp_port, config.smtp_tls, config.smtp_user, config.smtp_password)
    return EmailChannel(server, sender, _mail_recipients(config))


def _webhook(config: NotifyConfig, resolve: Resolver) -> WebhookChannel:
    secret = config.webhook_secret.get_secret_value() if config.webhook_secret else None
    allowed = parse_allowed_hosts(config.webhook_allowed_hosts)
    return WebhookChannel(_webhook_url(config), allowed, secret=secret, resolve=resolve)


def _mail_recipients(config: NotifyConfig) -> tuple[str, ...]:
    return tuple(dict.fromkeys(canonical_address(to) or one_line(to, 100) for to in config.smtp_to))


def _webhook_url(config: NotifyConfig) -> str:
    return config.webhook_url.get_secret_value().strip() if config.webhook_url else ""


def _push_urls(config: NotifyConfig) -> tuple[str, ...]:
    return tuple(url for secret in config.push_urls if (url := secret.get_secret_value().strip()))
