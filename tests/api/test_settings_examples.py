"""The examples that the reference shows of settings, audit and notifications are what the system would answer."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from deployments.api.examples import audit, configuration, notifications, page
from deployments.api.pages import AuditPage
from deployments.api.views.configuration import AnomalyConfig, SeverityView, SystemConfig
from deployments.api.views.notification_preferences import CameraSettings, QuietPeriods
from deployments.api.views.notification_test import ChannelTestReport, NotificationConfig
from schemas.notification import NotificationPreferences
from schemas.runtime_config import RuntimeConfig


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (SystemConfig, configuration.SYSTEM_CONFIG),
        (SeverityView, configuration.SEVERITY),
        (AnomalyConfig, configuration.ANOMALY_CONFIG),
        (AuditPage, page("logs", audit.AUDIT_ENTRY)),
        (NotificationPreferences, notifications.PREFERENCES),
        (CameraSettings, {"settings": [notifications.CAMERA_SETTING], "count": 1}),
        (QuietPeriods, {"periods": [notifications.QUIET_PERIOD], "count": 1}),
        (NotificationConfig, notifications.NOTIFICATION_CONFIG),
        (ChannelTestReport, notifications.NOTIFICATION_TEST),
    ],
)
def test_every_example_is_what_the_system_would_answer(model: type[BaseModel], example: dict[str, Any]) -> None:
    assert json.loads(model.model_validate(example).model_dump_json()) == example


def test_the_examples_show_the_values_of_a_fresh_system() -> None:
    fresh = RuntimeConfig().model_dump()
    assert {field: fresh[field] for field in configuration.SYSTEM_CONFIG if field in fresh} == {
        field: value for field, value in configuration.SYSTEM_CONFIG.items() if field in fresh
    }
    assert NotificationPreferences(**notifications.PREFERENCES) == NotificationPreferences()
