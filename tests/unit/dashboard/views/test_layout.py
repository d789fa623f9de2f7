from __future__ import annotations

import re
from pathlib import Path

from solosolve.dashboard import web
from solosolve.dashboard.views.layout import page
from solosolve.dashboard.views.routes import VIEWS
from support.components import as_json

ASSETS = Path(str(web.__file__)).parent / "assets"


def test_page_has_a_link_and_a_container_for_each_view() -> None:
    shown = as_json(page())
    links = re.findall(r'"href": "([^"]+)", "className": "view-link", "id": "link-(\w+)"', shown)
    assert dict(links) == VIEWS
    assert all(f'"id": "view-{view}"' in shown for view in VIEWS.values())


def test_ids_on_the_page_are_unique() -> None:
    ids = re.findall(r'"id": "([^"]+)"', as_json(page()))
    assert len(set(ids)) == len(ids)


def test_style_sheet_shows_each_view() -> None:
    style = (ASSETS / "style.css").read_text(encoding="utf-8")
    for view in VIEWS.values():
        assert f'body[data-view="{view}"] #view-{view}' in style
