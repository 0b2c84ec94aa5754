"""The written pages say what is true: settings, links and addresses are checked against the program."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from deployments.api.bodies import NewRule
from deployments.api.openapi import described
from settings import DEMO_WEIGHTS, Settings

ROOT = Path(__file__).parents[1]
OPENAPI = ROOT / "docs" / "openapi.json"

_TABLE_ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]*)` \| (.*?) \| (.+) \|$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|<(?:a|img|source)\s[^>]*?(?:href|src|srcset)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_CURL = re.compile(r"^curl\b(?:'[^']*'|\\\n|[^\n\\'])*", re.MULTILINE)
_ADDRESS = re.compile(r"http://127\.0\.0\.1:8000(/[^\s'\"?]*)")
_METHOD = re.compile(r"(?:-X|--request) ([A-Z]+)")
_BODY = re.compile(r"(?:-d|--data|--json) '([^']*)'")


def _pages() -> list[Path]:
    """Every page that belongs to the project; what tools leave behind lies in folders that start with a dot."""
    found = [page for page in ROOT.rglob("*.md") if not any(part[0] == "." for part in page.relative_to(ROOT).parts)]
    return sorted(page for page in found if page.relative_to(ROOT).parts[0] not in ("data", "build"))


def _links(page: Path) -> list[str]:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return [first or second for first, second in _LINK.findall(text)]


def _anchors(page: Path) -> set[str]:
    """The names that a heading gets on the usual hosts: lower case, blanks as hyphens, signs left out."""
    titles = _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def _broken(page: Path) -> Iterator[str]:
    for link in _links(page):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / unquote(path)).resolve() if path else page
        leads = target.exists() and target.is_relative_to(ROOT)
        if not leads or (anchor and target.suffix == ".md" and anchor not in _anchors(target)):
            yield link


def _written(name: str) -> str:
    """A setting's default as the table writes it."""
    default: Any = Settings.model_fields[name].get_default()
    if default is None:
        return "unset"
    if default == str(DEMO_WEIGHTS):
        return str(DEMO_WEIGHTS.relative_to(ROOT))
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(map(str, default)) or "empty"
    return str(default)


def _curls() -> list[str]:
    return _CURL.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def _method(curl: str) -> str:
    named = _METHOD.search(curl)
    return named[1].lower() if named else ("post" if _BODY.search(curl) else "get")


def _is_route(written: str, route: str) -> bool:
    """Whether an address in a page, with ALERT_ID and the like in it, is one of this route."""
    parts = (re.escape(part) if not part.startswith("{") else "[^/]+" for part in route.split("/"))
    return re.fullmatch("/".join(parts), written) is not None


def test_the_settings_page_has_every_setting_once_and_no_other() -> None:
    listed = [name for name, _, _ in _TABLE_ROW.findall((ROOT / "docs" / "settings.md").read_text(encoding="utf-8"))]
    assert sorted(listed) == sorted(name.upper() for name in Settings.model_fields)


def test_the_settings_page_gives_the_defaults_that_hold() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    listed = {name: default for name, default, _ in _TABLE_ROW.findall(page)}
    assert listed == {name.upper(): _written(name) for name in Settings.model_fields}


@pytest.mark.parametrize("page", [str(page.relative_to(ROOT)) for page in _pages()])
def test_every_relative_link_leads_somewhere(page: str) -> None:
    assert list(_broken(ROOT / page)) == []


def test_the_readme_shows_requests() -> None:
    assert _curls()


async def test_every_request_of_the_readme_goes_to_a_route_of_the_api() -> None:
    document = json.loads(OPENAPI.read_text(encoding="utf-8")) if OPENAPI.exists() else await described()
    routes = document["paths"]
    for curl in _curls():
        for address in _ADDRESS.findall(curl):
            methods = {method for route, known in routes.items() if _is_route(address, route) for method in known}
            assert _method(curl) in methods, curl


def test_the_alert_rules_that_the_readme_makes_can_be_made() -> None:
    bodies = [_BODY.findall(curl) for curl in _curls() if _ADDRESS.findall(curl) == ["/api/alerts/rules"]]
    assert bodies
    for body in bodies:
        assert NewRule.model_validate_json(body[0]).channels
