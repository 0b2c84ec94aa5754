"""Who is disturbed by what, and when not: preferences, settings by camera, quiet hours."""

from typing import Annotated

from fastapi import APIRouter, Path

from deployments.api.deps import CallerDep, PreferencesDep
from deployments.api.examples.notifications import CAMERA_SETTING, PREFERENCES, QUIET_PERIOD
from deployments.api.parameters import CameraId
from deployments.api.responses import problems, shows
from deployments.api.views.notification_preferences import (
    CameraSettingChange,
    CameraSettings,
    PreferencesChange,
    QuietHoursRequest,
    QuietPeriod,
    QuietPeriods,
    camera_settings,
    quiet_period,
    quiet_periods,
)
from schemas.notification import CameraNotificationSetting, NotificationPreferences

router = APIRouter(prefix="/api/notification-preferences", tags=["notification preferences"])

PeriodId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The number that the list gives as `id`.")]


@router.get("", responses=shows(PREFERENCES) | problems(503))
async def get_notification_preferences(preferences: PreferencesDep) -> NotificationPreferences:
    """Which levels of event are told of, and how."""
    return await preferences.get()


@router.put("", responses=shows(PREFERENCES) | problems(400, 413, 415, 422, 503))
async def update_notification_preferences(
    body: PreferencesChange, preferences: PreferencesDep, caller: CallerDep
) -> NotificationPreferences:
    """Changes the fields that are named, from the next event on. A sound or level that there is not is 400."""
    return await preferences.change(body.checked(), caller)


@router.get("/cameras", responses=shows({"settings": [CAMERA_SETTING], "count": 1}) | problems(503))
async def list_camera_notification_settings(preferences: PreferencesDep) -> CameraSettings:
    """The cameras for which something was set; all others notify of every score."""
    return camera_settings(await preferences.cameras())


@router.get("/cameras/{camera_id}", responses=shows(CAMERA_SETTING) | problems(404, 422, 503))
async def get_camera_notification_setting(
    camera_id: CameraId, preferences: PreferencesDep
) -> CameraNotificationSetting:
    """One camera's settings; 404 until something was set for it."""
    return await preferences.camera(camera_id)


@router.put("/cameras/{camera_id}", responses=shows(CAMERA_SETTING) | problems(400, 404, 413, 415, 422, 503))
async def update_camera_notification_setting(
    camera_id: CameraId, body: CameraSettingChange, preferences: PreferencesDep, caller: CallerDep
) -> CameraNotificationSetting:
    """Mutes a camera, or has it notify from a score on; only the fields that are named change."""
    return await preferences.change_camera(camera_id, body.named(), caller)


@router.get("/quiet-hours", responses=shows({"periods": [QUIET_PERIOD], "count": 1}) | problems(503))
async def list_quiet_hours(preferences: PreferencesDep) -> QuietPeriods:
    """When nobody is disturbed, by the house's clock."""
    return quiet_periods(await preferences.quiet_hours())


@router.post(
    "/quiet-hours", status_code=201, responses=shows(QUIET_PERIOD, 201) | problems(400, 409, 413, 415, 422, 503)
)
async def create_quiet_hours(body: QuietHoursRequest, preferences: PreferencesDep, caller: CallerDep) -> QuietPeriod:
    """Makes a period; it may cross midnight, and a day that is named is the day on which it starts.

    Without days it is every day's. It ends when its end is reached (23:59 means midnight); equal start and end are
    400. What counts is what a clock on the wall shows, also on the days on which clocks change. At most 100 periods.
    """
    return quiet_period(await preferences.add_quiet_hours(body.checked(), caller))


@router.delete("/quiet-hours/{period_id}", status_code=204, responses=problems(404, 422, 503))
async def delete_quiet_hours(period_id: PeriodId, preferences: PreferencesDep, caller: CallerDep) -> None:
    """Deletes a period; the next event knows nothing of it any more."""
    await preferences.delete_quiet_hours(period_id, caller)
