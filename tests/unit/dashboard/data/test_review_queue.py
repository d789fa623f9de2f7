from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from solosolve.dashboard.data.answers import Answers, NotYetError
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.review_queue import SHOWN, review_queue
from solosolve.names import FEEDBACK, PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Verdict
from support.warehouses import append, prediction


def rows(product: str, probabilities: list[float], first_id: int) -> list[dict[str, Any]]:
    return [
        prediction(first_id + place, product=product, probability=probability)
        for place, probability in enumerate(probabilities)
    ]


def given(complaint_id: int, product: str, verdict: Verdict = Verdict.SUCCESS, feedback_id: str = "") -> dict[str, Any]:
    return {
        "feedback_id": feedback_id or str(complaint_id),
        "complaint_id": complaint_id,
        "verdict": str(verdict),
        "is_successful_resolution": verdict.label,
        "source": "review",
        "given_at": datetime(2026, 5, 4, tzinfo=UTC),
        "product": product,
    }


def ids(warehouse: Path, filters: Filters | None = None) -> list[int]:
    return [row["complaint_id"] for row in review_queue(Answers(DeltaReader(warehouse)), filters or Filters())]


def test_queue_takes_the_least_certain_first(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.9, 0.52, 0.49, 0.1, 0.505], 1))
    assert ids(tmp_path) == [5, 3, 2, 1, 4]


def test_queue_gives_products_with_few_verdicts_their_turn(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5 + n / 1_000 for n in range(16)], 1))
    append(tmp_path, PREDICTIONS, rows("Student loan", [0.8, 0.9, 0.95, 0.99], 101))
    # Four to one in size is two to one in turns.
    assert ids(tmp_path)[:6] == [1, 2, 101, 3, 4, 102] or ids(tmp_path)[:6] == [1, 101, 2, 3, 102, 4]
    append(tmp_path, FEEDBACK, [given(number, "Mortgage") for number in range(1, 5)])
    assert ids(tmp_path)[:2] == [101, 102]


def test_queue_leaves_out_what_has_a_verdict_until_it_is_taken_back(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5, 0.6], 1))
    append(tmp_path, FEEDBACK, [given(1, "Mortgage", Verdict.UNSURE)])
    assert ids(tmp_path) == [2]
    append(tmp_path, FEEDBACK, [given(1, "Mortgage", Verdict.WITHDRAWN)])
    assert ids(tmp_path) == [1, 2]


def test_queue_is_of_the_newest_version_and_the_chosen_segment(tmp_path: Path) -> None:
    old = [prediction(number, model_version=1, probability=0.5) for number in range(50, 60)]
    append(tmp_path, PREDICTIONS, [*old, *rows("Mortgage", [0.5, 0.7], 1), *rows("Credit card", [0.6], 9)])
    assert ids(tmp_path, Filters(product=("Mortgage",))) == [1, 2]
    assert set(ids(tmp_path)) == {1, 2, 9}


def test_queue_shows_a_complaint_once_and_no_more_than_a_page(tmp_path: Path) -> None:
    twice = [*rows("Mortgage", [0.5], 1), *rows("Credit card", [0.5], 1)]
    append(tmp_path, PREDICTIONS, [*twice, *rows("Mortgage", [0.6] * 50, 10)])
    found = ids(tmp_path)
    assert len(found) == SHOWN
    assert len(set(found)) == SHOWN


def test_queue_finds_the_least_certain_of_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solosolve.dashboard.data.review_queue._A_SEGMENT", 2)
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.01 * n for n in range(100)], 1))
    assert ids(tmp_path)[:3] == [51, 50, 52]


def test_queue_goes_on_behind_many_verdicts(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5 + n / 1_000 for n in range(300)], 1))
    append(tmp_path, FEEDBACK, [given(number, "Mortgage") for number in range(1, 281)])
    assert ids(tmp_path) == list(range(281, 281 + SHOWN))


def test_queue_has_a_product_whose_complaints_are_all_certain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solosolve.dashboard.data.review_queue._A_SEGMENT", 6)
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5] * 100, 1) + rows("Student loan", [0.9] * 100, 201))
    products = {row["product"] for row in review_queue(Answers(DeltaReader(tmp_path)), Filters())}
    assert products == {"Mortgage", "Student loan"}


def test_queue_goes_on_where_complaints_were_scored_by_several_sources(tmp_path: Path) -> None:
    for source in ("batch", "delta", "kafka"):
        scored = [row | {"source": source} for row in rows("Mortgage", [0.5 + n / 10_000 for n in range(400)], 1)]
        append(tmp_path, PREDICTIONS, scored)
    append(tmp_path, FEEDBACK, [given(number, "Mortgage") for number in range(1, 351)])
    assert ids(tmp_path) == list(range(351, 351 + SHOWN))


def test_queue_before_any_prediction_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NotYetError, match=r"run: solosolve run score_batch$"):
        review_queue(Answers(DeltaReader(tmp_path)), Filters())
