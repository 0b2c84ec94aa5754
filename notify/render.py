"""One alert as a subject, a text, an HTML page and the webhook's JSON; everything from outside is cleaned first."""

import json
from datetime import UTC, datetime
from html import escape
from zoneinfo import ZoneInfo

from notify.message import AlertMessage
from notify.text import one_line, paragraphs, plain_json, shortened
from schemas.frozen import utc_text

SUBJECT_LIMIT = 150
NAME_LIMIT = 60
SUMMARY_LIMIT = 1_000
REASONING_LIMIT = 4_000

_COLOURS = {"low": "#3b6e3b", "medium": "#8a6d00", "high": "#c75000", "critical": "#b00020"}
_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><title>{subject}</title></head>
<body style="font-family:sans-serif;color:#222;max-width:640px;margin:0 auto;padding:16px">
<p style="margin:0;color:{colour};font-weight:bold">{headline}</p>
<h1 style="font-size:20px;margin:4px 0 12px"><bdi>{summary}</bdi></h1>
{picture}<table style="border-collapse:collapse;font-size:14px">
{facts}
</table>
{reasoning}
{link}<p style="color:#777;font-size:12px">Alert {alert}, event {event}</p>
</body></html>
"""


def subject(message: AlertMessage) -> str:
    """At most 150 characters on one line: level, camera, what happened."""
    head = f"[{message.severity.upper()} {message.risk_score}] {_camera_name(message)}: "
    return shortened(head + one_line(message.summary, SUBJECT_LIMIT), SUBJECT_LIMIT)


def text_body(message: AlertMessage) -> str:
    """The alert as plain text; outside text cannot start a line of its own except indented below `Why`."""
    lines = [_headline(message), one_line(message.summary, SUMMARY_LIMIT), ""]
    lines += [f"{name + ':':<12} {value}" for name, value in _facts(message)]
    why = paragraphs(message.reasoning, REASONING_LIMIT)
    if why:
        lines += ["", "Why:", *("  " + line for line in why)]
    if message.console_url:
        lines += ["", f"Open: {message.console_url}"]
    lines += ["", f"Alert {message.alert_id}, event {message.event_id}"]
    return "\n".join(lines) + "\n"


def html_body(message: AlertMessage, picture_cid: str | None) -> str:
    """The alert as a page; `picture_cid` names the inline part that holds the picture."""
    rows = (
        f'<tr><td style="padding:2px 12px 2px 0;color:#777">{escape(name)}</td><td><bdi>{escape(value)}</bdi></td></tr>'
        for name, value in _facts(message)
    )
    picture = (
        f'<p><img src="cid:{escape(picture_cid)}" alt="The picture that raised the alert" style="max-width:100%"></p>\n'
        if picture_cid
        else ""
    )
    link = f'<p><a href="{escape(message.console_url)}">Open the event</a></p>\n' if message.console_url else ""
    return _PAGE.format(
        subject=escape(subject(message)),
        colour=_COLOURS[message.severity],
        headline=escape(_headline(message)),
        summary=escape(one_line(message.summary, SUMMARY_LIMIT)),
        picture=picture,
        facts="\n".join(rows),
        reasoning="\n".join(f"<p><bdi>{escape(p)}</bdi></p>" for p in paragraphs(message.reasoning, REASONING_LIMIT)),
        link=link,
        alert=message.alert_id,
        event=message.event_id,
    )


def push_body(message: AlertMessage) -> str:
    """What fits a telephone's screen; the subject is its title."""
    lines = [one_line(message.summary, 300), f"{_camera_name(message)}, {local_time(message)}", _risk(message)]
    if message.console_url:
        lines.append(message.console_url)
    return "\n".join(line for line in lines if line)


def webhook_body(message: AlertMessage) -> bytes:
    """The request's JSON, the same bytes in every try."""
    document = {
        "type": "test" if message.is_test else "alert",
        "alert": {
            "id": str(message.alert_id),
            "severity": message.severity.value,
            "status": message.status.value,
            "created_at": utc_text(message.created_at),
            "idempotency_key": message.idempotency_key,
        },
        "event": {
            "id": message.event_id,
            "camera_id": message.camera_id,
            "started_at": utc_text(message.started_at),
            "risk_score": message.risk_score,
            "risk_level": message.risk_level.value,
            "summary": message.summary,
            "reasoning": message.reasoning,
            "object_types": message.object_types,
            "assessment": message.assessment,
            "assessed_by": message.assessed_by,
        },
        "camera": {"id": message.camera_id, "name": message.camera_name},
        "rule": {
            "id": str(message.rule_id) if message.rule_id else None,
            "name": message.rule_name,
            "matched_conditions": message.matched_conditions,
        },
    }
    return json.dumps(plain_json(document), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def local_time(message: AlertMessage) -> str:
    """`2025-11-22 06:30:12 CET`, in the house's zone; in UTC when that zone is unknown here."""
    return _local(message.started_at, message.timezone)


def _local(moment: datetime, zone_name: str) -> str:
    try:
        zone = ZoneInfo(zone_name)
    except (KeyError, ValueError, OSError):
        # A misspelt zone must not cost the alert.
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def _camera_name(message: AlertMessage) -> str:
    return one_line(message.camera_name, NAME_LIMIT) or one_line(message.camera_id, NAME_LIMIT)


def _headline(message: AlertMessage) -> str:
    return f"{message.severity.upper()} alert from {_camera_name(message)}"


def _risk(message: AlertMessage) -> str:
    return f"Risk {message.risk_score} of 100, {message.risk_level.value}"


def _facts(message: AlertMessage) -> list[tuple[str, str]]:
    assessed = one_line(message.assessed_by, NAME_LIMIT)
    if message.assessment == "provisional":
        assessed += "; provisional, it will be assessed again"
    facts = [
        ("Camera", f"{_camera_name(message)} ({one_line(message.camera_id, NAME_LIMIT)})"),
        ("When", f"{local_time(message)} ({utc_text(message.started_at)})"),
        ("Risk", f"{message.risk_score} of 100, {message.risk_level.value}"),
        ("Objects", one_line(", ".join(message.object_types), 200) or "none"),
        ("Rule", one_line(message.rule_name, 100)),
    ]
    if message.matched_conditions:
        facts.append(("Matched", _conditions(message)))
    return [*facts, ("Assessed by", assessed)]


def _conditions(message: AlertMessage) -> str:
    return one_line(
        "; ".join(
            f"{name} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
            for name, value in plain_json(message.matched_conditions).items()
        ),
        400,
    )
