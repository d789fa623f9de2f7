"""Which complaints a person should look at next: the least certain ones, of segments little looked at."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from solosolve.dashboard import questions
from solosolve.dashboard.answers import Answers, NotYetError, Question
from solosolve.dashboard.filters import Condition, Filters
from solosolve.names import FEEDBACK, PREDICTIONS

SHOWN = 12
"""Complaints of the queue that a page shows."""

_CANDIDATES = 20_000
"""Predictions around one half that candidates are taken from, so that millions are not ranked."""

_A_SEGMENT = 60
"""Candidates of one product beside those that have a verdict."""


def review_queue(answers: Answers, filters: Filters) -> list[dict[str, Any]]:
    """The next complaints to review, of the newest model version that has predictions.

    A segment is a product. The next complaint is the least certain one of the segment that has the fewest verdicts and
    complaints picked so far beside the square root of its predictions: a rare product gets its turn, a large one more.

    Returns:
        `complaint_id`, `product`, `company`, `state`, `probability`, `model_version`, first things first.

    Raises:
        NotYetError: There are no predictions.
        TableError: A table cannot be read.
    """
    bins = answers.ask(questions.score_distribution(filters)).to_pylist()
    if not bins:
        return []
    version = max(row["model_version"] for row in bins)
    reviewed, verdicts = _reviewed(answers)
    # As many more as have a verdict, in steps, so that the question is not another one after each.
    steps = 1 + max(verdicts.values(), default=0) // _A_SEGMENT
    band = _band(bins, version, _CANDIDATES + len(reviewed))
    candidates = answers.ask(_candidates(filters, version, band, steps * 2 * _A_SEGMENT)).to_pylist()
    sizes: Counter[str] = Counter()
    for row in answers.ask(questions.predictions_by("product", filters)).to_pylist():
        sizes[row["product"] or ""] += row["n"]
    waiting: dict[str, list[dict[str, Any]]] = {}
    for row in candidates:
        if row["complaint_id"] not in reviewed:
            waiting.setdefault(row["product"] or "", []).append(row)
    picked: list[dict[str, Any]] = []
    seen: set[int] = set()
    while len(picked) < SHOWN and waiting:
        segment = min(waiting, key=lambda name: ((verdicts[name] + 1) / math.sqrt(sizes[name] or 1), name))
        row = waiting[segment].pop(0)
        if not waiting[segment]:
            del waiting[segment]
        if row["complaint_id"] not in seen:
            seen.add(row["complaint_id"])
            verdicts[segment] += 1
            picked.append(row)
    return picked


def _band(bins: list[dict[str, Any]], version: int, wanted: int) -> float:
    """How far from one half the candidates lie."""
    counts: Counter[int] = Counter()
    for row in bins:
        if row["model_version"] == version:
            # Hundredths below one half lie one nearer than those above: 49 and 50 both touch it.
            counts[abs(row["bin"] - 50) + (1 if row["bin"] >= 50 else 0)] += row["n"]
    found = 0
    for distance in range(1, 51):
        found += counts[distance]
        if found >= wanted:
            return distance / 100
    return 0.5


def _candidates(filters: Filters, version: int, band: float, most: int) -> Question:
    condition = (
        questions.chosen_predictions(filters)
        & Condition("model_version = :newest", (("newest", version),))
        & Condition("abs(probability - 0.5) <= :band", (("band", band),))
    )
    columns = "complaint_id, product, company, state, probability, model_version"
    sql = (
        f"select {columns} from (select {columns}, row_number() over (partition by product "
        f"order by abs(probability - 0.5), complaint_id) as place from {PREDICTIONS} where {condition.sql}) as ranked "
        f"where place <= {most} order by product, place"
    )
    return Question(sql, (PREDICTIONS,), condition.parameters)


def _reviewed(answers: Answers) -> tuple[set[int], Counter[str]]:
    """Complaints that have a verdict, and verdicts a product."""
    sql = f"select complaint_id, product from {questions.CURRENT_VERDICTS} as verdicts"
    try:
        rows = answers.ask(Question(sql, (FEEDBACK,))).to_pylist()
    except NotYetError:
        rows = []
    return {row["complaint_id"] for row in rows}, Counter(row["product"] or "" for row in rows)
