"""What a person may ask of a service."""

import pytest

from domain.service_actions import Limits, refusal
from schemas.service import ServiceAction, ServiceStatus

ELSEWHERE = Limits(not_started_because="it runs elsewhere", not_disabled_because="nobody could enable it again")


@pytest.mark.parametrize("action", list(ServiceAction))
def test_nothing_can_be_done_about_what_is_not_configured(action: ServiceAction) -> None:
    assert "not configured" in str(refusal(action, "nemotron", ServiceStatus.NOT_CONFIGURED, True))


@pytest.mark.parametrize("action", [ServiceAction.RESTART, ServiceAction.START])
def test_what_is_disabled_has_to_be_enabled_first(action: ServiceAction) -> None:
    assert refusal(action, "gpu_monitor", ServiceStatus.DISABLED, False) == "gpu_monitor is disabled: enable it first"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (ServiceStatus.RUNNING, "is running already"),
        (ServiceStatus.STARTING, "is being started already"),
        (ServiceStatus.UNHEALTHY, "restart it"),
    ],
)
def test_only_what_is_stopped_can_be_started(status: ServiceStatus, words: str) -> None:
    assert words in str(refusal(ServiceAction.START, "gpu_monitor", status, True))
    assert refusal(ServiceAction.RESTART, "gpu_monitor", status, True) is None
    assert refusal(ServiceAction.START, "gpu_monitor", ServiceStatus.STOPPED, True) is None


def test_limits_are_told_with_their_reason() -> None:
    running = ServiceStatus.RUNNING
    assert refusal(ServiceAction.RESTART, "postgres", running, True, ELSEWHERE) == "it runs elsewhere"
    assert refusal(ServiceAction.START, "postgres", ServiceStatus.STOPPED, True, ELSEWHERE) == "it runs elsewhere"
    assert refusal(ServiceAction.DISABLE, "postgres", running, True, ELSEWHERE) == "nobody could enable it again"
    assert refusal(ServiceAction.DISABLE, "gpu_monitor", running, True) is None


def test_enabling_what_is_enabled_and_disabling_what_is_disabled_are_no_mistakes() -> None:
    assert refusal(ServiceAction.ENABLE, "gpu_monitor", ServiceStatus.RUNNING, True, ELSEWHERE) is None
    assert refusal(ServiceAction.DISABLE, "gpu_monitor", ServiceStatus.DISABLED, False) is None
