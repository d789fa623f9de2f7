"""Second readings: judged complaints that another reviewer reads again, blind, to see how far reviewers agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from solosolve.dashboard.data.answers import Answers, Question
from solosolve.dashboard.data.audit_sample import due_places
from solosolve.dashboard.data.filters import Filters
from solosolve.errors import NotYetError
from solosolve.names import FEEDBACK, PICKED_SECOND, SECOND_READING
from solosolve.storage.feedback import ALL_VERDICTS, CURRENT_VERDICTS
from solosolve.storage.reader import Value

_SPARE = 40
"""Complaints to read beyond those that are needed, because other reviewers may have claimed some."""

_SECOND_READINGS = f"(select * from {ALL_VERDICTS} as verdicts where source = '{SECOND_READING}')"


@dataclass(frozen=True)
class Agreement:
    """How far first and second readings agree.

    Attributes:
        count: Complaints that two reviewers have judged.
        agreed: Those on which they agree.
        kappa: Cohen's kappa; None without two such complaints, or if chance alone would make them agree.
    """

    count: int
    agreed: int
    kappa: float | None


def with_second_readings(
    answers: Answers, queue: list[dict[str, Any]], filters: Filters, reviewer: str, share: float,
    claimed: Collection[int] = (),
) -> list[dict[str, Any]]:  # fmt: skip
    """Inserts second readings into a reviewer's queue.

    They are picked at random from the complaints that someone else has judged and nobody has read again. Their places
    are counted through the reviewer's own readings, as those of the audit are through all verdicts.

    Args:
        answers: Answers from the tables.
        queue: The queue without them.
        filters: The filters of the page.
        reviewer: Whose queue it is.
        share: Share of the reviewer's readings that are second readings.
        claimed: Complaints that other reviewers are reading.

    Returns:
        The queue with dicts of the same form, whose `picked_by` is PICKED_SECOND.

    Raises:
        TableError: A table cannot be read.
    """
    try:
        counts = answers.ask(_readings_by_reviewer()).to_pylist()
        places = due_places(sum(row["n"] for row in counts if row["reviewer"] == reviewer), len(queue) + 1, share)
        judged = answers.ask(_judged_by_others(filters, reviewer, len(places) + _SPARE)).to_pylist() if places else []
    except NotYetError:
        return queue
    mixed = list(queue)
    for place, row in zip(places, (row for row in judged if row["complaint_id"] not in claimed), strict=False):
        mixed.insert(place, row | {"picked_by": PICKED_SECOND, "pick_probability": None})
    return mixed


def is_due_for(answers: Answers, complaint_id: int, reviewer: str, submission: str) -> bool:
    """Whether a reviewer may read a complaint again: someone else has judged it, and nobody has read it again.

    Args:
        answers: Answers from the tables.
        complaint_id: The complaint.
        reviewer: The reviewer.
        submission: The id of the second reading, which does not count if it is already recorded.

    Raises:
        TableError: The table cannot be read.
    """
    sql = (
        f"select source, reviewer from {ALL_VERDICTS} as verdicts "
        "where complaint_id = :complaint_id and feedback_id <> :submission"
    )
    parameters: dict[str, Value] = {"complaint_id": complaint_id, "submission": submission}
    try:
        found = answers.query(sql, (FEEDBACK,), parameters).to_pylist()
    except NotYetError:
        return False
    is_read_again = any(row["source"] == SECOND_READING for row in found)
    return bool(found) and not is_read_again and all(row["reviewer"] not in (None, reviewer) for row in found)


def agreement_of(answers: Answers) -> Agreement:
    """Compares second readings with the verdicts that stand.

    Raises:
        TableError: The table cannot be read.
    """
    sql = (
        "select given.verdict as first_verdict, again.verdict as second_verdict, count(*) as n "
        f"from {CURRENT_VERDICTS} as given join {_SECOND_READINGS} as again on given.complaint_id = again.complaint_id "
        "where given.reviewer <> again.reviewer group by 1, 2"
    )
    try:
        rows = answers.ask(Question(sql, (FEEDBACK,))).to_pylist()
    except NotYetError:
        rows = []
    return agreement({(row["first_verdict"], row["second_verdict"]): row["n"] for row in rows})


def agreement(counts: dict[tuple[str, str], int]) -> Agreement:
    """Computes the agreement from the number of complaints for each pair of verdicts.

    Kappa is Cohen's: (observed - expected) / (1 - expected), where the expected agreement is that of two reviewers who
    give each verdict as often as these do, but independently (Cohen 1960, A coefficient of agreement for nominal
    scales).
    """
    count, agreed = sum(counts.values()), sum(n for (first, second), n in counts.items() if first == second)
    firsts, seconds = Counter[str](), Counter[str]()
    for (first, second), n in counts.items():
        firsts[first] += n
        seconds[second] += n
    by_chance = sum(firsts[verdict] * seconds[verdict] for verdict in firsts)
    if count < 2 or by_chance == count * count:
        return Agreement(count, agreed, None)
    expected = by_chance / (count * count)
    return Agreement(count, agreed, (agreed / count - expected) / (1 - expected))


def _readings_by_reviewer() -> Question:
    return Question(f"select reviewer, count(*) as n from {ALL_VERDICTS} as verdicts group by 1", (FEEDBACK,))


def _judged_by_others(filters: Filters, reviewer: str, limit: int) -> Question:
    """Asks for complaints that others have judged, in the order of a hash that has nothing to do with them."""
    segment = filters.in_segment()
    sql = (
        f"select complaint_id, product, company, state, probability, model_version from {CURRENT_VERDICTS} as verdicts "
        "where reviewer <> :reviewer and probability is not null "
        f"and complaint_id not in (select complaint_id from {_SECOND_READINGS} as again) and {segment.sql} "
        f"order by md5(feedback_id) limit {limit}"
    )
    return Question(sql, (FEEDBACK,), (("reviewer", reviewer), *segment.parameters))
