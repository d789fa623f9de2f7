from __future__ import annotations

import re

from solosolve.dashboard.views.layout import page
from solosolve.dashboard.views.routes import ROOMS
from support.components import as_json


def test_page_has_a_link_and_a_container_for_each_room() -> None:
    shown = as_json(page())
    links = re.findall(r'"href": "([^"]+)", "className": "room-link", "id": "link-(\w+)"', shown)
    assert dict(links) == ROOMS
    assert all(f'"id": "room-{room}"' in shown for room in ROOMS.values())


def test_header_says_that_complaints_are_made_up() -> None:
    assert "Made-up complaints" in as_json(page(is_made_up=True))
    assert "Made-up complaints" not in as_json(page())


def test_ids_on_the_page_are_unique() -> None:
    ids = re.findall(r'"id": "([^"]+)"', as_json(page()))
    assert len(set(ids)) == len(ids)
