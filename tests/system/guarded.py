"""Secrets in every setting that may hold one, each its own random word that must turn up nowhere."""

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.system.house import House, Sinks


def _word(name: str) -> str:
    return f"{name}-{secrets.token_hex(12)}"


@dataclass(frozen=True)
class Guarded:
    """By setting: the part of its value that is secret."""

    words: dict[str, str] = field(
        default_factory=lambda: {
            name: _word(name.replace("_", ""))
            for name in (
                "api_keys",
                "smtp_password",
                "webhook_secret",
                "default_webhook_url",
                "push_urls",
                "nemotron_api_key",
            )
        }
    )

    def environment(self, sinks: Sinks) -> dict[str, str]:
        webhook = urlsplit(sinks.http.url)
        return {
            "API_KEY_ENABLED": "true",
            "API_KEYS": f"tester:{self.words['api_keys']}",
            "SMTP_USER": "owner",
            "SMTP_PASSWORD": self.words["smtp_password"],
            "WEBHOOK_SECRET": self.words["webhook_secret"],
            "DEFAULT_WEBHOOK_URL": f"{webhook.scheme}://{webhook.netloc}/{self.words['default_webhook_url']}",
            "PUSH_URLS": f"json://owner:{self.words['push_urls']}@127.0.0.1:9/",
            "NEMOTRON_URL": sinks.model_url,
            "NEMOTRON_API_KEY": self.words["nemotron_api_key"],
            "RATE_LIMIT_ENABLED": "false",
            "LOG_LEVEL": "DEBUG",
            "BATCH_WINDOW_SECONDS": "20",
            "BATCH_IDLE_TIMEOUT_SECONDS": "3",
            "DETECTION_CONFIDENCE_THRESHOLD": "0.25",
        }

    def found_out(self, house: House) -> dict[str, str]:
        """All that must stay secret in this system: what was planted, and the passwords that the system made."""
        record = json.loads((house.data_dir / "run" / "system.json").read_text())
        made = {name: urlsplit(record[name]).password or "" for name in ("database_url", "redis_url")}
        token = (house.data_dir / "run" / "ray_token").read_text()
        return self.words | made | {"ray_token": token}


def readable_files(folder: Path) -> list[Path]:
    """Logs below the folder: what an operator would send along when asking for help."""
    found = []
    for root, _, names in os.walk(folder):
        found += [Path(root) / name for name in names if name.endswith((".log", ".out", ".err"))]
    return found


GUARDED = Guarded()
