"""The alert as subject, text, page and JSON."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.render import html_body, local_time, push_body, subject, text_body, webhook_body
from schemas.severity import Severity
from tests.notify.messages import alert
from tests.notify.test_text import ANY_TEXT

HOSTILE = st.one_of(
    ANY_TEXT,
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "Door\r\nBcc: victim@example.com",
            "{subject}{0}%s&amp;</title></bdi></td>",
            "\u202egpj.exe",
        ]
    ),
)


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and every text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_subject_says_how_grave_it_is_where_and_what() -> None:
    assert subject(alert()) == "[HIGH 78] Front Door: A person stands at the door"


@given(name=HOSTILE, summary=HOSTILE)
def test_no_name_or_summary_makes_a_subject_of_two_lines_or_over_150_characters(name: str, summary: str) -> None:
    line = subject(alert(camera_name=name * 3, summary=summary * 10))

    assert len(line) <= 150
    assert len(line.splitlines()) == 1
    assert line.startswith("[HIGH 78] ")


@given(name=HOSTILE, summary=HOSTILE, reasoning=HOSTILE, rule=HOSTILE, kind=HOSTILE, by=HOSTILE)
def test_no_outside_text_adds_a_tag_or_an_attribute_to_the_page(
    name: str, summary: str, reasoning: str, rule: str, kind: str, by: str
) -> None:
    outside: dict[str, object] = {"camera_name": name, "camera_id": name, "summary": summary, "reasoning": reasoning}
    outside |= {"rule_name": rule, "object_types": (kind,), "assessed_by": by}
    plain = {name: ("x",) if name == "object_types" else "x" for name in outside}
    conditions = {"matched_conditions": {rule: kind}}

    hostile = Tags(html_body(alert(**outside, **conditions), "cid@example"))
    harmless = Tags(html_body(alert(**plain, matched_conditions={"x": "x"}), "cid@example"))

    # Only the number of reasoning's paragraphs depends on the text.
    assert [tag for tag in hostile.tags if tag[0] not in ("p", "bdi")] == [
        tag for tag in harmless.tags if tag[0] not in ("p", "bdi")
    ]
    assert set(hostile.tags) <= set(harmless.tags)


def test_the_page_shows_hostile_text_as_text() -> None:
    page = html_body(alert(summary='<b>bold</b> & "quoted"'), None)

    assert "<b>" not in page
    assert '<b>bold</b> & "quoted"' in Tags(page).texts


def test_a_quote_in_the_console_address_does_not_end_the_attribute() -> None:
    page = Tags(html_body(alert(console_url='https://home.example/"onclick="alert(1)'), None))

    assert ("a", (("href", 'https://home.example/"onclick="alert(1)'),)) in page.tags


def test_the_page_has_a_picture_only_when_there_is_one() -> None:
    assert "<img" not in html_body(alert(), None)
    assert 'src="cid:one@example"' in html_body(alert(), "one@example")


def test_the_text_gives_the_local_time_beside_utc() -> None:
    assert "2025-11-22 06:30:12 CET (2025-11-22T05:30:12Z)" in text_body(alert())


def test_an_unknown_time_zone_falls_back_to_utc_and_costs_nothing() -> None:
    assert local_time(alert(timezone="Mars/Olympus")) == "2025-11-22 05:30:12 UTC"
    assert local_time(alert(timezone="../etc/passwd")) == "2025-11-22 05:30:12 UTC"


def test_a_provisional_assessment_says_so_and_a_final_one_does_not() -> None:
    assert "provisional" in text_body(alert())
    assert "provisional" not in text_body(alert(assessment="final"))


def test_lines_of_the_reasoning_cannot_pass_for_lines_of_ours() -> None:
    lines = text_body(alert(reasoning="quiet\n\nOpen: https://evil.example\nCamera: other")).splitlines()

    assert "  Open: https://evil.example" in lines
    assert "Open: https://evil.example" not in lines
    assert [line for line in lines if line.startswith("Camera")] == ["Camera:      Front Door (front_door)"]


def test_a_camera_whose_name_is_all_control_characters_is_called_by_its_id() -> None:
    assert "front_door" in subject(alert(camera_name="\u202e\x00\n"))


def test_the_push_text_holds_what_happened_where_when_and_the_link() -> None:
    body = push_body(alert())

    assert body.splitlines() == [
        "A person stands at the door",
        "Front Door, 2025-11-22 06:30:12 CET",
        "Risk 78 of 100, high",
        "https://home.example/events/123",
    ]


def test_the_webhook_gets_this_document() -> None:
    assert json.loads(webhook_body(alert())) == {
        "type": "alert",
        "alert": {
            "id": "550e8400-e29b-41d4-a716-446655440000",
            "severity": "high",
            "status": "pending",
            "created_at": "2025-11-22T05:30:14Z",
            "idempotency_key": "7b0f1c9e:email:0",
        },
        "event": {
            "id": 123,
            "camera_id": "front_door",
            "started_at": "2025-11-22T05:30:12Z",
            "risk_score": 78,
            "risk_level": "high",
            "summary": "A person stands at the door",
            "reasoning": "One person at night.\nUnusual for this hour.",
            "object_types": ["person", "car"],
            "assessment": "provisional",
            "assessed_by": "deterministic",
        },
        "camera": {"id": "front_door", "name": "Front Door"},
        "rule": {
            "id": "550e8400-e29b-41d4-a716-446655440001",
            "name": "Person at night",
            "matched_conditions": {"risk_threshold": 75, "object_types": ["person"]},
        },
    }


def test_a_deleted_rule_keeps_its_name_and_has_no_id() -> None:
    rule = json.loads(webhook_body(alert(rule_id=None)))["rule"]

    assert rule["id"] is None
    assert rule["name"] == "Person at night"


@given(name=ANY_TEXT, summary=ANY_TEXT)
def test_any_text_makes_a_document_that_can_be_read(name: str, summary: str) -> None:
    body = webhook_body(alert(camera_name=name, summary=summary, matched_conditions={name: float("nan")}))

    assert json.loads(body)["type"] == "alert"


@pytest.mark.parametrize("severity", list(Severity))
def test_every_severity_has_its_page(severity: Severity) -> None:
    assert severity.upper() in html_body(alert(severity=severity), None)
