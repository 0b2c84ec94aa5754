"""The states of an alert and the steps between them.

    pending ──deliver──▶ delivered ──acknowledge──▶ acknowledged ──dismiss──▶ dismissed
       │                     │                                                    ▲
       ├─────acknowledge─────┼───────────────▶ (acknowledged)                     │
       └───────dismiss───────┴────────────────────────────────────────────────────┘

Forward only. A delivery that arrives after a person has already acknowledged or dismissed the alert is no step: the
alert stays where the person put it.
"""

from enum import StrEnum

from schemas.alert import AlertStatus


class AlertStep(StrEnum):
    DELIVER = "deliver"
    ACKNOWLEDGE = "acknowledge"
    DISMISS = "dismiss"


TRANSITIONS: dict[tuple[AlertStatus, AlertStep], AlertStatus] = {
    (AlertStatus.PENDING, AlertStep.DELIVER): AlertStatus.DELIVERED,
    (AlertStatus.PENDING, AlertStep.ACKNOWLEDGE): AlertStatus.ACKNOWLEDGED,
    (AlertStatus.PENDING, AlertStep.DISMISS): AlertStatus.DISMISSED,
    (AlertStatus.DELIVERED, AlertStep.ACKNOWLEDGE): AlertStatus.ACKNOWLEDGED,
    (AlertStatus.DELIVERED, AlertStep.DISMISS): AlertStatus.DISMISSED,
    (AlertStatus.ACKNOWLEDGED, AlertStep.DISMISS): AlertStatus.DISMISSED,
}

_PAST = {
    AlertStep.DELIVER: "delivered",
    AlertStep.ACKNOWLEDGE: "acknowledged",
    AlertStep.DISMISS: "dismissed",
}


class IllegalAlertStep(Exception):
    """The alert's state does not allow the step; the message is for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def after(status: AlertStatus, step: AlertStep) -> AlertStatus:
    """The state that the step leads to; raises IllegalAlertStep when it cannot be taken."""
    try:
        return TRANSITIONS[status, step]
    except KeyError:
        raise IllegalAlertStep(f"an alert that is {status.value} cannot be {_PAST[step]}") from None


def allowed_from(step: AlertStep) -> tuple[AlertStatus, ...]:
    """The states from which the step can be taken: what a compare-and-set compares with."""
    return tuple(status for status, possible in TRANSITIONS if possible is step)
