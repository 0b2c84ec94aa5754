"""The documented endpoints, a row each: the section that documents it, what is asked and what must come back.

`{rule}`, `{alert}` and the like in a path stand for what the test has made in the running system.
"""

from tests.system.documented.answers import Documented
from tests.system.documented.health_and_figures import figures, health
from tests.system.documented.operations import logs, models, notifications, rest, services
from tests.system.documented.settings_and_alerts import alerts, cleanup, configuration

DOCUMENTED: tuple[Documented, ...] = (
    *health(),
    *figures(),
    *configuration(),
    *cleanup(),
    *alerts(),
    *logs(),
    *notifications(),
    *services(),
    *models(),
    *rest(),
)
