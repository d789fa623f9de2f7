"""Every number on every view equals its SQL query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from solosolve.dashboard.views.routes import ROOMS
from solosolve.names import FEEDBACK, MODEL_PERFORMANCE
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Verdict
from support.browsers import until, visit, wait_for_view
from support.dashboard_process import serving
from support.page_numbers import PAGE_NUMBERS, as_markdown
from support.warehouses import PERFORMANCE, append, feedback, performance, write_everything

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with rows in every table, verdicts of today among them."""
    home, now = tmp_path_factory.mktemp("numbers_home"), datetime.now(UTC).replace(microsecond=0)
    write_everything(home / "warehouse", predictions=300, now=now)
    # The newest window has enough labels.
    append(home / "warehouse", MODEL_PERFORMANCE, [performance(name, -1, value) for name, value in PERFORMANCE.items()])
    given = [
        feedback(f"{number}", complaint_id=number, given_at=now, picked_by="audit" if number % 3 else "uncertain")
        for number in range(1, 9)
    ]
    again = [
        feedback(f"again {number}", complaint_id=number, given_at=now, reviewer="bo", source="second_reading",
                 verdict=Verdict.FAILURE if number == 3 else Verdict.SUCCESS)
        for number in (2, 3, 4)
    ]  # fmt: skip
    withdrawn = [feedback("8", complaint_id=8, given_at=now, verdict=Verdict.WITHDRAWN, reason=None)]
    append(home / "warehouse", FEEDBACK, [each.as_row() for each in (*given, *again, *withdrawn)])
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with serving(home) as (found, _):
        yield found


@pytest.mark.parametrize("room", ROOMS)
def test_every_number_of_a_room_equals_its_query(browser: Browser, address: str, home: Path, room: str) -> None:
    numbers, reader = [each for each in PAGE_NUMBERS if each.room == room], DeltaReader(home / "warehouse")
    assert numbers
    with visit(browser, address) as visited:
        page = visited.open(room)
        wait_for_view(page, room)
        expected = {each.what: each.expected(reader) for each in numbers}
        until(page, lambda: all(each.shown(page) for each in numbers))
        assert {each.what: each.shown(page) for each in numbers} == expected


def test_docs_list_every_number() -> None:
    assert (DOCS / "numbers.md").read_text(encoding="utf-8") == as_markdown()
