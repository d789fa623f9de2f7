"""A random sample of the complaints that wait for a verdict, so that verdicts measure the model without bias."""

from __future__ import annotations

import math
from typing import Any

from solosolve.dashboard.data.answers import Answers, Question
from solosolve.dashboard.data.filters import Condition
from solosolve.names import FEEDBACK, PICKED_AUDIT, PREDICTIONS
from solosolve.storage.feedback import LIVE_FEEDBACK


def audit_places(verdict_count: int, length: int, share: float) -> list[int]:
    """Returns which places of a queue, counted from 0, are for the audit.

    Each verdict moves the queue on by one place, so the places are counted through: the given share of all verdicts is
    for the audit, and no complaint of the audit stays second for ever.

    Args:
        verdict_count: Verdicts given so far.
        length: Places in the queue.
        share: Share of the places that are for the audit.
    """
    first = range(verdict_count, verdict_count + length)
    return [place for place, number in enumerate(first) if _due(number + 1, share) > _due(number, share)]


def audit_sample(answers: Answers, matching: Condition, places: int) -> list[dict[str, Any]]:
    """Returns the complaints to audit next: the first ones without feedback in the order of a hash of their ids.

    The order has nothing to do with the predictions, so every waiting complaint is as likely to be picked as any other.

    Args:
        answers: Answers from the tables.
        matching: Which predictions count.
        places: How many complaints to pick.

    Returns:
        At most `places` dicts as in the review queue; `pick_probability` is the number of places divided by that of the
        waiting complaints.

    Raises:
        NotYetError: There are no predictions.
        TableError: A table cannot be read.
    """
    if not places:
        return []
    has_feedback = answers.versions((FEEDBACK,))[FEEDBACK] is not None
    picked = answers.ask(_in_random_order(matching, places, has_feedback=has_feedback)).to_pylist()
    return [
        {name: value for name, value in row.items() if name != "waiting"}
        | {"picked_by": PICKED_AUDIT, "pick_probability": len(picked) / row["waiting"]}
        for row in picked
    ]


def _due(verdict_count: int, share: float) -> int:
    # The margin covers rounding: 5 * 0.2 must not be a little less than 1.
    return math.floor(verdict_count * share + 1e-9)


def _in_random_order(matching: Condition, places: int, *, has_feedback: bool) -> Question:
    """Asks for the first complaints in the order of the hash, and for how many are `waiting` in all."""
    is_waiting = f"complaint_id not in (select complaint_id from {LIVE_FEEDBACK} as given)" if has_feedback else "true"
    # Only ids are put in order; what belongs to the few that are picked is looked up afterwards.
    picked = (
        "select complaint_id, md5(cast(complaint_id as string)) as place, count(*) over () as waiting from "
        f"(select distinct complaint_id from {PREDICTIONS} where {matching.sql} and {is_waiting}) as complaints "
        f"order by place limit {places}"
    )
    columns = ("product", "company", "state", "probability", "model_version")
    lowest = ", ".join(f"min({name}) as {name}" for name in columns)
    sql = (
        f"select scored.complaint_id, {lowest}, min(waiting) as waiting from {PREDICTIONS} as scored "
        f"join ({picked}) as picked on scored.complaint_id = picked.complaint_id where {matching.sql} "
        "group by scored.complaint_id order by min(place)"
    )
    return Question(sql, (PREDICTIONS, FEEDBACK) if has_feedback else (PREDICTIONS,), matching.parameters)
