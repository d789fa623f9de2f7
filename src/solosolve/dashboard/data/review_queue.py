"""The complaints to review next: those nearest to the threshold, mixed with a random sample of all that wait."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers, Question, ask_where
from solosolve.dashboard.data.audit_sample import audit_sample, due_places
from solosolve.dashboard.data.champion import threshold_of
from solosolve.dashboard.data.filters import Condition, Filters
from solosolve.errors import NotYetError
from solosolve.names import FEEDBACK, PICKED_UNCERTAIN, PREDICTIONS
from solosolve.storage.feedback import LIVE_FEEDBACK

QUEUE_LENGTH = 12
"""Complaints in the queue on screen."""

CANDIDATES_PER_PRODUCT = 60
"""Complaints without a verdict that are read for each product."""

_MAX_PRODUCTS = 40
"""Products that candidates are read for, those with the most predictions first."""

_MAX_SOURCES = 3
"""Predictions that a complaint may have per model version: one from each source."""


@dataclass(frozen=True)
class ReviewQueue:
    """The complaints to review next.

    Attributes:
        rows: At most QUEUE_LENGTH dicts with `complaint_id`, `product`, `company`, `state`, `probability`,
            `model_version`, `picked_by` and `pick_probability` (null unless picked at random); the first to review
            comes first.
        waiting: Complaints in all that wait for a verdict and match the filters, claimed or not.
    """

    rows: list[dict[str, Any]]
    waiting: int


def review_queue(
    answers: Answers, filters: Filters, audit_share: float, *, claimed: Collection[int] = (),
    candidates_per_product: int = CANDIDATES_PER_PRODUCT,
) -> ReviewQueue:  # fmt: skip
    """Returns the complaints to review next, from the newest model version that has predictions.

    The least certain complaint is the one whose probability is nearest to the version's threshold, where a small change
    would turn the prediction. Products take turns: the next complaint is the least certain one of the product with the
    lowest ratio of verdicts given and complaints queued to the square root of its predictions. So a rare product gets
    its turn, and a large one gets more turns.

    Verdicts on uncertain complaints teach a model, but they do not measure it, because it is worse on those than on
    others. So some places are for complaints picked at random. A complaint whose outcome an event has reported needs
    no verdict.

    Args:
        answers: Answers from the tables.
        filters: The filters of the page.
        audit_share: Share of the places for complaints picked at random.
        claimed: Complaints that other reviewers are reading, which are left out.
        candidates_per_product: Complaints without a verdict to read for each product.

    Raises:
        NotYetError: There are no predictions.
        TableError: A table cannot be read.
    """
    bins = answers.ask(questions.score_distribution(filters)).to_pylist()
    if not bins:
        return ReviewQueue([], 0)
    version = max(row["model_version"] for row in bins)
    reviewed, verdicts = _reviewed(answers)
    # Reviewed complaints are candidates too, so more are read as verdicts come in. The limit grows in steps, because a
    # question that changes with every verdict is never answered from the cache.
    steps = 1 + max(verdicts.values(), default=0) // candidates_per_product
    limit = steps * 2 * candidates_per_product
    threshold = threshold_of(answers, version)
    distances = answers.ask(_distances(filters, version, threshold)).to_pylist()
    bands = _bands(distances, limit * _MAX_SOURCES)
    candidates = answers.ask(_candidates(filters, version, threshold, bands, limit)).to_pylist()
    predictions = answers.ask(questions.predictions_by("product", filters)).to_pylist()
    places = due_places(verdicts.total(), QUEUE_LENGTH, audit_share)
    sample = audit_sample(answers, _of_version(filters, version), len(places), claimed)
    audit = sample.picked
    taken = reviewed | set(claimed) | {row["complaint_id"] for row in audit}
    waiting = [row for row in candidates if row["complaint_id"] not in taken]
    uncertain = _take_turns(waiting, verdicts, questions.totals(predictions, "product"), QUEUE_LENGTH - len(audit))
    return ReviewQueue(_mixed(uncertain, audit, places), sample.waiting)


def _mixed(uncertain: list[dict[str, Any]], audit: list[dict[str, Any]], places: list[int]) -> list[dict[str, Any]]:
    """Puts the complaints of the audit in their places, or at the end if there are not as many others."""
    queue = [row | {"picked_by": PICKED_UNCERTAIN, "pick_probability": None} for row in uncertain]
    for place, row in zip(places, audit, strict=False):
        queue.insert(place, row)
    return queue


def _take_turns(
    waiting: list[dict[str, Any]], verdicts: Counter[str], sizes: Counter[str], length: int
) -> list[dict[str, Any]]:
    """Picks complaints from candidates that are ordered by certainty within each product.

    Args:
        waiting: Candidates without a verdict.
        verdicts: Verdicts per product.
        sizes: Predictions per product.
        length: How many to pick at most.
    """
    by_product: dict[str, list[dict[str, Any]]] = {}
    for row in waiting:
        by_product.setdefault(row["product"] or "", []).append(row)
    turns = Counter(verdicts)
    queue: dict[int, dict[str, Any]] = {}
    while len(queue) < length and by_product:
        product = min(by_product, key=lambda name: ((turns[name] + 1) / math.sqrt(sizes[name] or 1), name))
        row = by_product[product].pop(0)
        if not by_product[product]:
            del by_product[product]
        # A complaint can have predictions under two products.
        if row["complaint_id"] not in queue:
            queue[row["complaint_id"]] = row
            turns[product] += 1
    return list(queue.values())


def _of_version(filters: Filters, version: int) -> Condition:
    newest = Condition("model_version = :newest", (("newest", version),))
    return questions.matching_predictions(filters) & newest


def _distance(threshold: float) -> str:
    """The distance of a probability from the threshold, in SQL."""
    return f"abs(probability - {threshold:.12f})"


def _distances(filters: Filters, version: int, threshold: float) -> Question:
    """Asks for `product`, `distance` (of the probability from the threshold, in hundredths rounded up) and `n`."""
    select = f"product, cast(ceil({_distance(threshold)} * 100) as int) as distance, count(*) as n"
    return ask_where(select, PREDICTIONS, _of_version(filters, version), "group by 1, 2", sums=("n",))


def _bands(distances: list[dict[str, Any]], count: int) -> dict[str, float]:
    """Returns how far a product's `count` least certain predictions are from the threshold, so that few are ranked.

    Args:
        distances: The answer to `_distances`.
        count: Predictions that the band must hold, if the product has as many.

    Returns:
        Product to distance, for the _MAX_PRODUCTS largest products.
    """
    counts: dict[str, Counter[int]] = {}
    for row in distances:
        if row["product"]:
            counts.setdefault(row["product"], Counter())[row["distance"]] += row["n"]
    bands = {}
    for product in sorted(counts, key=lambda name: (-counts[name].total(), name))[:_MAX_PRODUCTS]:
        found, band = 0, 100
        for distance in sorted(counts[product]):
            found += counts[product][distance]
            if found >= count:
                band = distance
                break
        bands[product] = band / 100
    return bands


def _candidates(filters: Filters, version: int, threshold: float, bands: dict[str, float], limit: int) -> Question:
    """Asks for the `limit` least certain complaints of each product, the least certain first."""
    distance = _distance(threshold)
    near, parameters = [], []
    for number, (product, band) in enumerate(bands.items()):
        # The margin covers rounding: 0.07 has no exact binary form.
        near.append(f"product = :segment_{number} and {distance} <= {band + 1e-9:.10f}")
        parameters.append((f"segment_{number}", product))
    condition = _of_version(filters, version) & Condition(f"({' or '.join(near) or 'false'})", tuple(parameters))
    # A complaint that several sources scored becomes one row.
    complaints = (
        "select product, complaint_id, min(company) as company, min(state) as state, min(probability) as probability, "
        f"min(model_version) as model_version from {PREDICTIONS} where {condition.sql} group by 1, 2"
    )
    sql = (
        "select complaint_id, product, company, state, probability, model_version from (select *, row_number() over "
        f"(partition by product order by {distance}, complaint_id) as place from ({complaints}) as scored) "
        f"as ranked where place <= {limit} order by product, place"
    )
    return Question(sql, (PREDICTIONS,), condition.parameters)


def _reviewed(answers: Answers) -> tuple[set[int], Counter[str]]:
    """Returns the complaints that have a verdict or an event, and the number of both per product."""
    sql = f"select complaint_id, product from {LIVE_FEEDBACK} as given"
    try:
        rows = answers.ask(Question(sql, (FEEDBACK,))).to_pylist()
    except NotYetError:
        rows = []
    return {row["complaint_id"] for row in rows}, Counter(row["product"] or "" for row in rows)
