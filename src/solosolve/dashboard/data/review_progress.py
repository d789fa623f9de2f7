"""How far the review has come: verdicts of today, by whom, and how many of them measure the model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from solosolve.clock import now
from solosolve.dashboard.data.answers import Answers, Question
from solosolve.errors import NotYetError
from solosolve.names import FEEDBACK, PICKED_AUDIT
from solosolve.storage.feedback import ALL_VERDICTS, CURRENT_VERDICTS


@dataclass(frozen=True)
class Progress:
    """Verdicts that were given today (UTC) and not withdrawn, second readings included.

    Attributes:
        by_reviewer: Those of the reviewer who looks.
        by_all: Those of all reviewers.
        audited: Those on complaints that were picked at random.
        has_any: Whether any verdict stands, of whatever day.
    """

    by_reviewer: int
    by_all: int
    audited: int
    has_any: bool


def progress_of(answers: Answers, reviewer: str) -> Progress:
    """Counts the verdicts of today.

    Raises:
        TableError: The table cannot be read.
    """
    midnight = datetime.combine(now().date(), time(), now().tzinfo)
    # All columns, because a table of an earlier release has no `picked_by`.
    today = Question(
        f"select * from {ALL_VERDICTS} as verdicts where given_at >= :midnight", (FEEDBACK,), (("midnight", midnight),)
    )
    any_at_all = Question(f"select complaint_id from {CURRENT_VERDICTS} as verdicts limit 1", (FEEDBACK,))
    try:
        rows, has_any = answers.ask(today).to_pylist(), answers.ask(any_at_all).num_rows > 0
    except NotYetError:
        rows, has_any = [], False
    mine = sum(row["reviewer"] == reviewer for row in rows)
    return Progress(mine, len(rows), sum(row.get("picked_by") == PICKED_AUDIT for row in rows), has_any)
