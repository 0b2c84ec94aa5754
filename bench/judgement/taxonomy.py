"""The taxonomy: every kind of scene, what is in it, when it happens, and the level that an incident must reach.

One source: the scenes are made from it (scenes.py) and docs/judgement.md lists it. A floor follows the harm and not
what detections can show: `high` where somebody should look now, `medium` where somebody should look today.
"""

from bench.judgement.incidents import INCIDENTS
from bench.judgement.routine import ROUTINE

__all__ = ["INCIDENTS", "KINDS", "ROUTINE"]

KINDS = (*ROUTINE, *INCIDENTS)
