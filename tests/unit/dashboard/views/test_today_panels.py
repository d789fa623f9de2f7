from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from solosolve.clock import now
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.today_panels import failing_companies, failing_products, new_complaints, to_read
from solosolve.names import FEEDBACK, PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.warehouses import append, feedback, prediction


@pytest.fixture
def today(tmp_path: Path) -> Answers:
    """Complaints 1 and 2 came five minutes ago, 3 came 20 hours ago, 4 came 3 days ago, and 5 was scored by a batch."""
    ages = {1: timedelta(minutes=5), 2: timedelta(minutes=5), 3: timedelta(hours=20), 4: timedelta(days=3)}
    facts = {
        1: {"prediction": 0, "probability": 0.2, "product": "Mortgage", "company": "Elm Bank"},
        2: {"prediction": 1, "probability": 0.9, "product": "Mortgage", "company": "Fir Bank"},
        3: {"prediction": 0, "probability": 0.1, "product": "Student loan", "company": None, "state": None},
        4: {"prediction": 0, "probability": 0.3, "product": "Mortgage", "company": "Elm Bank"},
    }
    rows = [prediction(number, **facts[number], scored_at=now() - age) for number, age in ages.items()]
    batch = prediction(5, prediction=1, probability=0.8, batch_id=None, scored_at=now() - timedelta(minutes=1))
    append(tmp_path, PREDICTIONS, [*rows, batch])
    append(tmp_path, FEEDBACK, [feedback("one", complaint_id=3).as_row()])
    return Answers(DeltaReader(tmp_path))


@pytest.mark.parametrize(
    ("since", "counts"),
    [
        ("15m", "Complaints 3 scored in the last 15 minutes, 2 live Likely to fail 1 33% of them, {by_any} "
                "Of these, unread 1"),
        ("24h", "Complaints 4 scored in the last 24 hours, 3 live Likely to fail 2 50% of them, {by_any} "
                "Of these, unread 1"),
        ("7d", "Complaints 5 scored in the last 7 days, 4 live Likely to fail 3 60% of them, {by_any} "
               "Of these, unread 2"),
    ],
)  # fmt: skip
def test_new_complaints_are_counted_since_the_chosen_time(today: Answers, since: str, counts: str) -> None:
    shown = text_of(new_complaints(today, Filters(since=since)))
    assert shown.startswith(counts.format(by_any="by any version that scored them"))


def test_new_complaints_follow_the_segment(today: Answers) -> None:
    assert "Complaints 1 " in text_of(new_complaints(today, Filters(since="24h", product=("Student loan",))))
    elsewhere = text_of(new_complaints(today, Filters(product=("Spaceships",))))
    assert "No complaint that matches these filters was scored in the last 24 hours" in elsewhere


def test_likely_failures_are_counted_by_product_and_company(today: Answers) -> None:
    products = text_of(failing_products(today, Filters(since="7d")))
    assert products.index("Mortgage 2 3 67%") < products.index("Student loan 1 1 100%")
    companies = text_of(failing_companies(today, Filters(since="7d")))
    assert "Elm Bank 2 2 100%" in companies
    assert "Fir Bank" not in companies
    assert "not given 1 1 100%" in companies


def test_least_likely_complaints_without_an_outcome_are_read_first_and_open_their_pages(today: Answers) -> None:
    shown = to_read(today, Filters(since="7d"))
    assert text_of(shown).index("1 20.0% Mortgage") < text_of(shown).index("4 30.0% Mortgage")
    assert "Student loan" not in text_of(shown)
    assert '"href": "/complaints/1"' in as_json(shown)
