"""Example of an event's why-chain: stored provisionally while the model was away, then assessed by it."""

from typing import Any

_BANDS = {"low_max": 29, "medium_max": 59, "high_max": 84}
_RULE = {"rule_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "rule_name": "Somebody at night"}
_MATCHED = "risk_threshold: 61 >= 50; object_types: person"
_UNUSUAL = {
    "object_type": "person",
    "expected_per_hour": 0.04,
    "probability": 0.039,
    "sample_count": 412,
    "slot_count": 1,
    "reliable": True,
    "deviation": 4.8,
}
_FACTORS = [
    {"name": "class", "points": 35.0, "because": "person"},
    {"name": "hour", "points": 26.0, "because": "02:13 at night"},
]
_FACTS: dict[str, Any] = {
    "case": "9f3a61c2",
    "camera": "Front Door",
    "local_time": "Tuesday 2025-12-23 02:13",
    "timezone": "Europe/Berlin",
    "part_of_day": "night",
    "quiet_hours": True,
    "seconds": 36.0,
    "detection_count": 3,
    "tracks": [
        {
            "object_type": "person",
            "first_seen_seconds": 0.0,
            "last_seen_seconds": 36.0,
            "sightings": 3,
            "confidence_mean": 0.88,
            "confidence_max": 0.91,
            "movement": "coming closer",
            "from_place": "upper left",
            "to_place": "middle",
            "largest_percent": 14.2,
            "largest_box": [38, 22, 58, 93],
        }
    ],
    "tracks_left_out": 0,
    "unusual": [
        {
            "object_type": "person",
            "expected_per_hour": 0.04,
            "deviation": 4.8,
            "sample_count": 412,
            "reliable": True,
        }
    ],
    "recent": [
        {
            "event_id": 41,
            "camera": "Back Yard",
            "same_camera": False,
            "minutes_before": 6.5,
            "risk_score": 38,
            "object_types": ["person"],
        }
    ],
    "bands": _BANDS,
    "pictures": 0,
}
_ANSWER = (
    '{"case":"9f3a61c2","reasoning":"A person comes closer to the front door at night.",'
    '"summary":"A person at the front door at night","signs":[],"risk_level":"high","risk_score":72}'
)
_MODEL: dict[str, Any] = {
    "prompt_version": "v1",
    "prompt_sha256": "0b9c2625dc21ef05f6ad4ddf47c5f203837aa32c1c1bb5e6e0d3d2a9b1f4c7d8",
    "facts": _FACTS,
    "model": "nvidia/NVIDIA-Nemotron-Nano-9B-v2",
    "fingerprint": "sha256:5d41402abc4b2a76",
    "attempts": [
        {
            "temperature": 0.2,
            "text": _ANSWER,
            "finish_reason": "stop",
            "prompt_tokens": 812,
            "completion_tokens": 74,
            "seconds": 1.9,
            "fault": None,
        }
    ],
    "pictures": [],
}

EVENT_WHY: dict[str, Any] = {
    "event_id": 42,
    "risk_score": 72,
    "risk_level": "high",
    "assessment": "final",
    "assessed_by": "nvidia/NVIDIA-Nemotron-Nano-9B-v2",
    "why": {
        "factors": [],
        "unusual": [_UNUSUAL],
        "severity_bands": _BANDS,
        "timezone": "Europe/Berlin",
        "because": None,
        "model": _MODEL,
        "rules": [_RULE | {"outcome": "raised_before", "because": _MATCHED.replace("61", "72"), "suppressed": []}],
        "earlier": [
            {
                "risk_score": 61,
                "risk_level": "high",
                "summary": "A person at the front door at night",
                "reasoning": "A person (0.91) was seen for 36 s at 02:13, when this camera hardly ever sees one.",
                "assessed_by": "deterministic",
                "assessment": "provisional",
                "because": "the language model is away",
                "factors": _FACTORS,
                "model": None,
                "rules": [_RULE | {"outcome": "raised", "because": _MATCHED, "suppressed": []}],
                "replaced_at": "2025-12-23T02:15:12Z",
            }
        ],
    },
    "reassessment": {
        "state": "done",
        "attempts": 1,
        "reason": None,
        "queued_at": "2025-12-23T02:13:44Z",
        "finished_at": "2025-12-23T02:15:12Z",
    },
}
