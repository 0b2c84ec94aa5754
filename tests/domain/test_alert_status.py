"""The steps an alert can take."""

import pickle

import pytest

from domain.alert_status import TRANSITIONS, AlertStep, IllegalAlertStep, after, allowed_from
from schemas.alert import AlertStatus

PENDING, DELIVERED = AlertStatus.PENDING, AlertStatus.DELIVERED
ACKNOWLEDGED, DISMISSED = AlertStatus.ACKNOWLEDGED, AlertStatus.DISMISSED


@pytest.mark.parametrize(
    ("status", "step", "then"),
    [
        (PENDING, AlertStep.DELIVER, DELIVERED),
        (PENDING, AlertStep.ACKNOWLEDGE, ACKNOWLEDGED),
        (DELIVERED, AlertStep.ACKNOWLEDGE, ACKNOWLEDGED),
        (PENDING, AlertStep.DISMISS, DISMISSED),
        (DELIVERED, AlertStep.DISMISS, DISMISSED),
        (ACKNOWLEDGED, AlertStep.DISMISS, DISMISSED),
    ],
)
def test_a_step_leads_to_its_state(status: AlertStatus, step: AlertStep, then: AlertStatus) -> None:
    assert after(status, step) is then


@pytest.mark.parametrize("step", list(AlertStep))
@pytest.mark.parametrize("status", list(AlertStatus))
def test_every_step_that_is_not_in_the_table_raises(status: AlertStatus, step: AlertStep) -> None:
    if (status, step) in TRANSITIONS:
        assert status in allowed_from(step)
    else:
        with pytest.raises(IllegalAlertStep):
            after(status, step)


def test_no_step_leads_back() -> None:
    order = list(AlertStatus)
    assert all(order.index(to) > order.index(start) for (start, _), to in TRANSITIONS.items())


def test_nothing_follows_dismissal() -> None:
    assert all(DISMISSED not in allowed_from(step) for step in AlertStep)


def test_the_states_a_compare_and_set_compares_with() -> None:
    assert allowed_from(AlertStep.DELIVER) == (PENDING,)
    assert allowed_from(AlertStep.ACKNOWLEDGE) == (PENDING, DELIVERED)
    assert allowed_from(AlertStep.DISMISS) == (PENDING, DELIVERED, ACKNOWLEDGED)


def test_the_message_says_what_is_the_matter() -> None:
    with pytest.raises(IllegalAlertStep, match=r"^an alert that is dismissed cannot be acknowledged$"):
        after(DISMISSED, AlertStep.ACKNOWLEDGE)


def test_the_error_survives_pickling() -> None:
    copy = pickle.loads(pickle.dumps(IllegalAlertStep("an alert that is dismissed cannot be delivered")))
    assert type(copy) is IllegalAlertStep
    assert str(copy) == "an alert that is dismissed cannot be delivered"
