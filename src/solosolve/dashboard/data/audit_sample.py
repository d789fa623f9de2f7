"""A random sample of the complaints that wait for a verdict, so that verdicts measure the model without bias."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from solosolve.dashboard.data.answers import Answers, Question
from solosolve.dashboard.data.filters import Condition
from solosolve.names import FEEDBACK, PICKED_AUDIT, PREDICTIONS
from solosolve.storage.feedback import LIVE_FEEDBACK

_CLAIM_STEP = 16
"""Complaints that are read beyond those to pick, in steps, because other reviewers may have claimed some."""


@dataclass(frozen=True)
class AuditSample:
    """Complaints to audit next.

    Attributes:
        picked: Dicts as in the review queue; `pick_probability` is the number of those picked divided by that of the
            complaints that wait and that nobody else has claimed.
        waiting: Complaints that wait, claimed or not.
    """

    picked: list[dict[str, Any]]
    waiting: int


def due_places(given_count: int, length: int, share: float) -> list[int]:
    """Returns which places of a queue, counted from 0, are due for a kind of complaint.

    Each verdict moves the queue on by one place, so the places are counted through: the given share of all verdicts is
    for that kind, and none of them stays second for ever.

    Args:
        given_count: Verdicts given so far.
        length: Places in the queue.
        share: Share of the places that are due.
    """
    first = range(given_count, given_count + length)
    return [place for place, number in enumerate(first) if _due(number + 1, share) > _due(number, share)]


def audit_sample(answers: Answers, matching: Condition, places: int, claimed: Collection[int] = ()) -> AuditSample:
    """Picks the complaints to audit next: the first ones without feedback in the order of a hash of their ids.

    The order has nothing to do with the predictions, so every complaint that waits is as likely to be picked as any
    other. Those that other reviewers are reading are left out of the sample and of the number it is drawn from.

    Args:
        answers: Answers from the tables.
        matching: Which predictions count.
        places: How many complaints to pick at most.
        claimed: Complaints that other reviewers are reading.

    Raises:
        NotYetError: There are no predictions.
        TableError: A table cannot be read.
    """
    has_feedback = answers.versions((FEEDBACK,))[FEEDBACK] is not None
    # A question that changes with every claim would never be answered from the cache.
    spare = _CLAIM_STEP * math.ceil(len(claimed) / _CLAIM_STEP)
    rows = answers.ask(_in_random_order(matching, max(places, 1) + spare, has_feedback=has_feedback)).to_pylist()
    if not rows:
        return AuditSample([], 0)
    waiting = rows[0]["waiting"]
    free = waiting - _waiting_among(answers, matching, claimed, has_feedback=has_feedback)
    picked = [row for row in rows if row["complaint_id"] not in claimed][:places]
    named = [
        {name: value for name, value in row.items() if name != "waiting"}
        | {"picked_by": PICKED_AUDIT, "pick_probability": len(picked) / free}
        for row in picked
    ]
    return AuditSample(named, waiting)


def _due(given_count: int, share: float) -> int:
    # The margin covers rounding: 5 * 0.2 must not be a little less than 1.
    return math.floor(given_count * share + 1e-9)


def _is_waiting(has_feedback: bool) -> str:
    return f"complaint_id not in (select complaint_id from {LIVE_FEEDBACK} as given)" if has_feedback else "true"


def _waiting_among(answers: Answers, matching: Condition, claimed: Collection[int], *, has_feedback: bool) -> int:
    """How many of the claimed complaints belong to those that wait."""
    if not claimed:
        return 0
    ids = ", ".join(str(int(each)) for each in claimed)
    sql = (
        f"select count(distinct complaint_id) as n from {PREDICTIONS} "
        f"where complaint_id in ({ids}) and {matching.sql} and {_is_waiting(has_feedback)}"
    )
    tables = (PREDICTIONS, FEEDBACK) if has_feedback else (PREDICTIONS,)
    found: int = answers.query(sql, tables, dict(matching.parameters))["n"][0].as_py()
    return found


def _in_random_order(matching: Condition, limit: int, *, has_feedback: bool) -> Question:
    """Asks for the first complaints in the order of the hash, and for how many are `waiting` in all."""
    # Only ids are put in order; what belongs to the few that are picked is looked up afterwards.
    picked = (
        "select complaint_id, md5(cast(complaint_id as string)) as place, count(*) over () as waiting from "
        f"(select distinct complaint_id from {PREDICTIONS} where {matching.sql} and {_is_waiting(has_feedback)}) "
        f"as complaints order by place limit {limit}"
    )
    columns = ("product", "company", "state", "probability", "model_version")
    lowest = ", ".join(f"min({name}) as {name}" for name in columns)
    sql = (
        f"select scored.complaint_id, {lowest}, min(waiting) as waiting from {PREDICTIONS} as scored "
        f"join ({picked}) as picked on scored.complaint_id = picked.complaint_id where {matching.sql} "
        "group by scored.complaint_id order by min(place)"
    )
    return Question(sql, (PREDICTIONS, FEEDBACK) if has_feedback else (PREDICTIONS,), matching.parameters)
