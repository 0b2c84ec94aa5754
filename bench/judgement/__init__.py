"""How well an assessor judges: made-up incidents and routine, labelled, as the detections that a camera would give."""
