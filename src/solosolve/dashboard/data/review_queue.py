"""Which complaints a person should look at next: the least certain ones, of segments little looked at."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers, NotYetError, Question, ask_where
from solosolve.dashboard.data.filters import Condition, Filters
from solosolve.names import FEEDBACK, PREDICTIONS

SHOWN = 12
"""Complaints of the queue that a page shows."""

_A_SEGMENT = 60
"""Candidates of one product beside those that have a verdict."""

_SEGMENTS = 40
"""Products that candidates are taken of, the largest ones."""

_SOURCES = 3
"""Rows that a complaint may have of one version, a source each."""


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
    most = (1 + max(verdicts.values(), default=0) // _A_SEGMENT) * 2 * _A_SEGMENT
    bands = _bands(answers.ask(_distances(filters, version)).to_pylist(), most * _SOURCES)
    candidates = answers.ask(_candidates(filters, version, bands, most)).to_pylist()
    sizes = questions.totals(answers.ask(questions.predictions_by("product", filters)).to_pylist(), "product")
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


def _of_version(filters: Filters, version: int) -> Condition:
    return questions.chosen_predictions(filters) & Condition("model_version = :newest", (("newest", version),))


def _distances(filters: Filters, version: int) -> Question:
    """`product`, `distance` (hundredths from one half, rounded up) and `n`."""
    select = "product, cast(ceil(abs(probability - 0.5) * 100) as int) as distance, count(*) as n"
    return ask_where(select, PREDICTIONS, _of_version(filters, version), "group by 1, 2", sums=("n",))


def _bands(distances: list[dict[str, Any]], wanted: int) -> dict[str, float]:
    """How far from one half each product's candidates lie, so that millions are not ranked; of the largest products."""
    counts: dict[str, Counter[int]] = {}
    for row in distances:
        if row["product"]:
            counts.setdefault(row["product"], Counter())[row["distance"]] += row["n"]
    bands = {}
    for product in sorted(counts, key=lambda name: (-counts[name].total(), name))[:_SEGMENTS]:
        found, band = 0, 50
        for distance in sorted(counts[product]):
            found += counts[product][distance]
            if found >= wanted:
                band = distance
                break
        bands[product] = band / 100
    return bands


def _candidates(filters: Filters, version: int, bands: dict[str, float], most: int) -> Question:
    near, parameters = [], []
    for number, (product, band) in enumerate(bands.items()):
        # A little more: 0.07 is no binary fraction.
        near.append(f"product = :segment_{number} and abs(probability - 0.5) <= {band + 1e-9:.10f}")
        parameters.append((f"segment_{number}", product))
    condition = _of_version(filters, version) & Condition(f"({' or '.join(near) or 'false'})", tuple(parameters))
    # One row a complaint, of several that sources may have scored alike.
    complaints = (
        "select product, complaint_id, min(company) as company, min(state) as state, min(probability) as probability, "
        f"min(model_version) as model_version from {PREDICTIONS} where {condition.sql} group by 1, 2"
    )
    sql = (
        "select complaint_id, product, company, state, probability, model_version from (select *, row_number() over "
        f"(partition by product order by abs(probability - 0.5), complaint_id) as place from ({complaints}) as scored) "
        f"as ranked where place <= {most} order by product, place"
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
