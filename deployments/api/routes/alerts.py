"""Alerts, what became of their deliveries, and what a person does about them."""

from typing import Annotated

from fastapi import APIRouter, Body, Query

from deployments.api.bodies import Dismissal
from deployments.api.deps import AlertsDep, TellDep
from deployments.api.examples import page
from deployments.api.examples.pipeline import ALERT, DELIVERY
from deployments.api.pages import AlertPage, DeliveryPage, alert_page, delivery_page
from deployments.api.parameters import AlertQuery, UuidId
from deployments.api.responses import problems, shows
from schemas.alert import Alert

router = APIRouter(prefix="/api/alerts", tags=["alerts"])


@router.get("", responses=shows(page("alerts", ALERT)) | problems(422, 503))
async def list_alerts(query: Annotated[AlertQuery, Query()], alerts: AlertsDep) -> AlertPage:
    """Alerts, newest first; all filters that are set must hold."""
    rows = await alerts.list(query, before=query.uuid_place(), limit=query.limit + 1, offset=query.offset)
    return alert_page(rows, query)


@router.get("/{alert_id}", responses=shows(ALERT) | problems(404, 422, 503))
async def get_alert(alert_id: UuidId, alerts: AlertsDep) -> Alert:
    """One alert; `metadata` says which rule raised it and which conditions were met."""
    return await alerts.get(alert_id)


@router.get("/{alert_id}/deliveries", responses=shows(page("deliveries", DELIVERY)) | problems(404, 422, 503))
async def list_alert_deliveries(alert_id: UuidId, alerts: AlertsDep) -> DeliveryPage:
    """Every delivery of an alert, each with its receipt, its last error, or why it was not sent."""
    return delivery_page(await alerts.deliveries(alert_id))


@router.post("/{alert_id}/acknowledge", responses=shows(ALERT) | problems(404, 409, 422, 503))
async def acknowledge_alert(alert_id: UuidId, alerts: AlertsDep, tell: TellDep) -> Alert:
    """Takes an alert on. Only one that is pending or delivered can be acknowledged; else 409."""
    return await tell(alerts.acknowledge(alert_id))


@router.post("/{alert_id}/dismiss", responses=shows(ALERT) | problems(404, 409, 413, 415, 422, 503))
async def dismiss_alert(
    alert_id: UuidId, alerts: AlertsDep, tell: TellDep, body: Annotated[Dismissal | None, Body()] = None
) -> Alert:
    """Closes an alert, with a reason if you like. One that is dismissed already is a 409."""
    return await tell(alerts.dismiss(alert_id, None if body is None else body.reason))
