from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.review_queue import CANDIDATES_PER_PRODUCT, QUEUE_LENGTH, review_queue
from solosolve.errors import NotYetError
from solosolve.names import (
    FEEDBACK,
    MODEL_METRICS,
    PICKED_AUDIT,
    PICKED_UNCERTAIN,
    PREDICTIONS,
    SECOND_READING,
    THRESHOLD_METRIC,
)
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Verdict
from support.warehouses import append, metric, prediction


def rows(product: str, probabilities: list[float], first_id: int) -> list[dict[str, Any]]:
    return [
        prediction(first_id + place, product=product, probability=probability)
        for place, probability in enumerate(probabilities)
    ]


def feedback(
    complaint_id: int, product: str, verdict: Verdict = Verdict.SUCCESS, feedback_id: str = ""
) -> dict[str, Any]:
    return {
        "feedback_id": feedback_id or str(complaint_id),
        "complaint_id": complaint_id,
        "verdict": str(verdict),
        "is_successful_resolution": verdict.label,
        "source": "review",
        "given_at": datetime(2026, 5, 4, tzinfo=UTC),
        "product": product,
    }


def queue(
    warehouse: Path,
    filters: Filters | None = None,
    candidates_per_product: int = CANDIDATES_PER_PRODUCT,
    audit_share: float = 0.0,
) -> list[dict[str, Any]]:
    answers = Answers(DeltaReader(warehouse))
    found = review_queue(answers, filters or Filters(), audit_share, candidates_per_product=candidates_per_product)
    return found.rows


def ids(
    warehouse: Path, filters: Filters | None = None, candidates_per_product: int = CANDIDATES_PER_PRODUCT
) -> list[int]:
    return [row["complaint_id"] for row in queue(warehouse, filters, candidates_per_product)]


def test_queue_starts_with_the_least_certain_complaint(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.9, 0.52, 0.49, 0.1, 0.505], 1))
    assert ids(tmp_path) == [5, 3, 2, 1, 4]


def test_queue_starts_nearest_to_the_threshold_of_the_version_that_predicted(tmp_path: Path) -> None:
    thresholds = [metric(version, "test", THRESHOLD_METRIC, value) for version, value in ((1, 0.1), (2, 0.8), (3, 0.3))]
    append(tmp_path, MODEL_METRICS, thresholds)
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.9, 0.52, 0.78, 0.1, 0.5], 1))
    assert ids(tmp_path) == [3, 1, 2, 5, 4]
    # Few candidates are read: those in the band around the threshold.
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.01 * n for n in range(100)], 101))
    assert ids(tmp_path, candidates_per_product=2)[:3] == [181, 180, 182]


def test_queue_of_a_version_without_a_recorded_threshold_starts_at_one_half(tmp_path: Path) -> None:
    append(tmp_path, MODEL_METRICS, [metric(1, "test", THRESHOLD_METRIC, 0.8), metric(2, "test", "auc", 0.6)])
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.9, 0.52, 0.78], 1))
    assert ids(tmp_path) == [2, 3, 1]


def test_queue_gives_products_with_few_verdicts_a_turn(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5 + n / 1_000 for n in range(16)], 1))
    append(tmp_path, PREDICTIONS, rows("Student loan", [0.8, 0.9, 0.95, 0.99], 101))
    # A product four times as large gets twice as many turns.
    assert ids(tmp_path)[:6] == [1, 2, 101, 3, 4, 102] or ids(tmp_path)[:6] == [1, 101, 2, 3, 102, 4]
    append(tmp_path, FEEDBACK, [feedback(number, "Mortgage") for number in range(1, 5)])
    assert ids(tmp_path)[:2] == [101, 102]


def test_queue_omits_a_complaint_with_a_verdict_until_the_verdict_is_withdrawn(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5, 0.6], 1))
    append(tmp_path, FEEDBACK, [feedback(1, "Mortgage", Verdict.UNSURE)])
    assert ids(tmp_path) == [2]
    append(tmp_path, FEEDBACK, [feedback(1, "Mortgage", Verdict.WITHDRAWN)])
    assert ids(tmp_path) == [1, 2]


def test_queue_holds_the_newest_version_and_the_selected_segment(tmp_path: Path) -> None:
    old = [prediction(number, model_version=1, probability=0.5) for number in range(50, 60)]
    append(tmp_path, PREDICTIONS, [*old, *rows("Mortgage", [0.5, 0.7], 1), *rows("Credit card", [0.6], 9)])
    assert ids(tmp_path, Filters(product=("Mortgage",))) == [1, 2]
    assert set(ids(tmp_path)) == {1, 2, 9}


def test_queue_lists_a_complaint_once_and_stops_at_its_length(tmp_path: Path) -> None:
    twice = [*rows("Mortgage", [0.5], 1), *rows("Credit card", [0.5], 1)]
    append(tmp_path, PREDICTIONS, [*twice, *rows("Mortgage", [0.6] * 50, 10)])
    found = ids(tmp_path)
    assert len(found) == QUEUE_LENGTH
    assert len(set(found)) == QUEUE_LENGTH


def test_queue_finds_the_least_certain_of_many(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.01 * n for n in range(100)], 1))
    assert ids(tmp_path, candidates_per_product=2)[:3] == [51, 50, 52]


def test_queue_continues_after_many_verdicts(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5 + n / 1_000 for n in range(300)], 1))
    append(tmp_path, FEEDBACK, [feedback(number, "Mortgage") for number in range(1, 281)])
    assert ids(tmp_path) == list(range(281, 281 + QUEUE_LENGTH))


def test_queue_includes_a_product_whose_complaints_are_all_certain(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5] * 100, 1) + rows("Student loan", [0.9] * 100, 201))
    products = {row["product"] for row in queue(tmp_path, candidates_per_product=6)}
    assert products == {"Mortgage", "Student loan"}


def test_queue_continues_after_many_verdicts_on_complaints_scored_by_several_sources(tmp_path: Path) -> None:
    for source in ("batch", "delta", "kafka"):
        scored = [row | {"source": source} for row in rows("Mortgage", [0.5 + n / 10_000 for n in range(400)], 1)]
        append(tmp_path, PREDICTIONS, scored)
    append(tmp_path, FEEDBACK, [feedback(number, "Mortgage") for number in range(1, 351)])
    assert ids(tmp_path) == list(range(351, 351 + QUEUE_LENGTH))


def test_queue_without_predictions_names_the_command_to_run(tmp_path: Path) -> None:
    with pytest.raises(NotYetError) as refused:
        queue(tmp_path)
    assert refused.value.command == "solosolve run score_batch"


def test_queue_mixes_in_complaints_picked_at_random(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5 + n / 1_000 for n in range(400)], 1))
    found = queue(tmp_path, audit_share=0.25)
    audit = [row for row in found if row["picked_by"] == PICKED_AUDIT]
    by_hash = sorted(range(1, 401), key=lambda number: hashlib.md5(str(number).encode()).hexdigest())
    assert [found.index(row) for row in audit] == [3, 7, 11]
    assert [row["complaint_id"] for row in audit] == by_hash[:3]
    assert {row["pick_probability"] for row in audit} == {3 / 400}
    others = [row for row in found if row["picked_by"] == PICKED_UNCERTAIN]
    assert [row["complaint_id"] for row in others] == [n for n in range(1, 13) if n not in by_hash[:3]][:9]
    assert {row["pick_probability"] for row in others} == {None}


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (1.0, 12), (0.2, 2), (0.01, 0)])
def test_queue_has_the_share_of_random_picks_that_is_set(tmp_path: Path, share: float, count: int) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5] * 100, 1))
    picked = [row["picked_by"] for row in queue(tmp_path, audit_share=share)]
    assert (len(picked), picked.count(PICKED_AUDIT)) == (QUEUE_LENGTH, count)


def test_queue_of_a_reviewer_who_takes_the_first_complaint_reaches_every_share(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5 + n / 1_000 for n in range(60)], 1))
    picked: list[dict[str, Any]] = []
    for _ in range(15):
        first = queue(tmp_path, audit_share=0.2)[0]
        append(tmp_path, FEEDBACK, [feedback(first["complaint_id"], "Mortgage")])
        picked.append(first)
    assert [row["picked_by"] for row in picked].count(PICKED_AUDIT) == 3
    # Fewer and fewer complaints wait.
    assert [row["pick_probability"] for row in picked if row["pick_probability"]] == [3 / 56, 3 / 51, 3 / 46]


def test_random_pick_leaves_out_what_has_feedback_and_follows_the_filters(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5] * 10, 1) + rows("Student loan", [0.9] * 10, 11))
    append(tmp_path, PREDICTIONS, [row | {"source": "kafka"} for row in rows("Mortgage", [0.5] * 10, 1)])
    append(tmp_path, PREDICTIONS, [prediction(number, model_version=1) for number in range(50, 90)])
    event = feedback(3, "Mortgage") | {"source": "event"}
    append(tmp_path, FEEDBACK, [event, feedback(4, "Mortgage"), feedback(5, "Mortgage", feedback_id="x")])
    append(tmp_path, FEEDBACK, [feedback(5, "Mortgage", Verdict.WITHDRAWN, "x")])
    found = queue(tmp_path, Filters(product=("Mortgage",)), audit_share=1.0)
    assert {row["complaint_id"] for row in found} == {1, 2, 5, 6, 7, 8, 9, 10}
    assert {row["pick_probability"] for row in found} == {1.0}


def test_random_picks_are_a_uniform_sample(tmp_path: Path) -> None:
    # The probability rises with the id, and an unbiased sample has the mean of all.
    append(tmp_path, PREDICTIONS, rows("Mortgage", [n / 4_000 for n in range(4_000)], 1))
    picked: list[dict[str, Any]] = []
    for _ in range(25):
        found = queue(tmp_path, audit_share=1.0)
        append(tmp_path, FEEDBACK, [feedback(row["complaint_id"], "Mortgage") for row in found])
        picked += found
    assert len({row["complaint_id"] for row in picked}) == 300
    mean = sum(row["probability"] for row in picked) / len(picked)
    # The standard error of the mean of 300 is 0.0167.
    assert abs(mean - 0.5) < 0.04


def test_queue_leaves_out_what_others_are_reading_and_says_how_likely_its_own_picks_are(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5 + n / 1_000 for n in range(60)], 1))
    append(tmp_path, PREDICTIONS, [prediction(70, model_version=1)])
    append(tmp_path, FEEDBACK, [feedback(60, "Mortgage")])
    by_hash = sorted(range(1, 60), key=lambda number: hashlib.md5(str(number).encode()).hexdigest())
    # One that is the first random pick, one that is among the least certain, and two that do not wait.
    claimed = {by_hash[0], next(number for number in (1, 2) if number != by_hash[0]), 60, 70}
    found = review_queue(Answers(DeltaReader(tmp_path)), Filters(), 0.25, claimed=claimed)
    assert {row["complaint_id"] for row in found.rows} & claimed == set()
    audit = [row for row in found.rows if row["picked_by"] == PICKED_AUDIT]
    assert [row["complaint_id"] for row in audit] == [each for each in by_hash if each not in claimed][:3]
    assert {row["pick_probability"] for row in audit} == {3 / 57}
    assert found.waiting == 59


def test_second_reading_takes_no_place_of_the_queue_and_its_complaint_does_not_wait(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, rows("Mortgage", [0.5, 0.6, 0.7], 1))
    second = feedback(1, "Mortgage", feedback_id="x") | {"source": SECOND_READING}
    append(tmp_path, FEEDBACK, [feedback(1, "Mortgage"), second])
    answers = Answers(DeltaReader(tmp_path))
    assert review_queue(answers, Filters(), 0.0).waiting == 2
    append(tmp_path, FEEDBACK, [feedback(1, "Mortgage", Verdict.WITHDRAWN)])
    assert review_queue(answers, Filters(), 0.0).waiting == 3
