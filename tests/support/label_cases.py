"""Cases of label resolution: what is published, which feedback there is, and the label that follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from solosolve.names import Verdict

AS_OF = datetime(2026, 6, 30, tzinfo=UTC)
RECEIVED = date(2026, 1, 1)
MATURITY_DAYS = 60
FINAL_AT = datetime(2026, 3, 2, tzinfo=UTC)
"""RECEIVED plus MATURITY_DAYS."""

S, F, U, W = Verdict.SUCCESS, Verdict.FAILURE, Verdict.UNSURE, Verdict.WITHDRAWN


def at(day: int) -> datetime:
    """A time some days after the first of May 2026."""
    return datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=day)


@dataclass(frozen=True)
class LabelCase:
    """One complaint.

    Attributes:
        name: What the case shows.
        published: The published label.
        given: Feedback: id, verdict, source, day.
        expected: Label, its time, its source, conflicts, reversals.
    """

    name: str
    published: float | None
    given: tuple[tuple[str, Verdict, str, int], ...]
    expected: tuple[float | None, datetime | None, str | None, int, int]


NOTHING = (None, None, None, 0, 0)

LABEL_CASES = (
    LabelCase("nothing is known", None, (), NOTHING),
    LabelCase("published", 0.0, (), (0.0, FINAL_AT, "published", 0, 0)),
    LabelCase("event", None, (("a", F, "event", 1),), (0.0, at(1), "event", 0, 0)),
    LabelCase("event overrides published", 1.0, (("a", F, "event", 1),), (0.0, at(1), "event", 1, 0)),
    LabelCase(
        "older review overrides newer event", 0.0, (("a", S, "review", 1), ("b", F, "event", 9)),
        (1.0, at(1), "review", 2, 0),
    ),
    LabelCase(
        "newest of a source wins", None, (("a", S, "event", 1), ("b", F, "event", 2)), (0.0, at(2), "event", 1, 1),
    ),
    LabelCase(
        "late row of a source is history", None, (("b", F, "event", 2), ("a", S, "event", 1)),
        (0.0, at(2), "event", 1, 1),
    ),
    LabelCase(
        "the greater id wins a tie", None, (("b", F, "event", 1), ("a", S, "event", 1)), (0.0, at(1), "event", 1, 1),
    ),
    LabelCase("agreement is no conflict", 1.0, (("a", S, "event", 1),), (1.0, at(1), "event", 0, 0)),
    LabelCase(
        "changed twice", None, (("a", S, "review", 1), ("b", F, "review", 2), ("c", S, "review", 3)),
        (1.0, at(3), "review", 1, 2),
    ),
    LabelCase("unsure is no label", None, (("a", U, "review", 1),), NOTHING),
    LabelCase(
        "unsure leaves the label of its source", None, (("a", S, "review", 1), ("b", U, "review", 2)),
        (1.0, at(1), "review", 0, 0),
    ),
    LabelCase(
        "unsure does not hide a less trusted source", 1.0, (("a", U, "review", 2),),
        (1.0, FINAL_AT, "published", 0, 0),
    ),
    LabelCase("withdrawn", None, (("a", S, "review", 1), ("a", W, "review", 2)), NOTHING),
    LabelCase("withdrawn before it arrived", None, (("a", W, "event", 1), ("a", S, "event", 2)), NOTHING),
    LabelCase(
        "withdrawal of the newest reveals the one before", None,
        (("a", S, "event", 1), ("b", F, "event", 2), ("b", W, "event", 3)), (1.0, at(1), "event", 0, 0),
    ),
    LabelCase(
        "withdrawal reveals the published label", 0.0, (("a", S, "review", 1), ("a", W, "review", 2)),
        (0.0, FINAL_AT, "published", 0, 0),
    ),
    LabelCase("withdrawal of another row changes nothing", None, (("a", S, "event", 1), ("z", W, "event", 2)),
              (1.0, at(1), "event", 0, 0)),
    LabelCase("given after the time", 1.0, (("a", F, "review", 61),), (1.0, FINAL_AT, "published", 0, 0)),
    LabelCase("given at the time", None, (("a", F, "review", 60),), (0.0, AS_OF, "review", 0, 0)),
    LabelCase(
        "withdrawn after the time", None, (("a", F, "event", 1), ("a", W, "event", 61)), (0.0, at(1), "event", 0, 0),
    ),
    LabelCase(
        "delivered twice", None, (("a", F, "event", 1), ("a", F, "event", 1)), (0.0, at(1), "event", 0, 0),
    ),
    LabelCase("a source without a rank gives no label", None, (("a", F, "rumour", 1),), NOTHING),
)  # fmt: skip


def complaint_rows() -> list[dict[str, Any]]:
    """Overrides of `silver.complaints`, one per case, with ids from 1 up."""
    return [
        {"complaint_id": number, "date_received": RECEIVED, "is_successful_resolution": case.published}
        for number, case in enumerate(LABEL_CASES, 1)
    ]


def feedback_rows() -> list[dict[str, Any]]:
    """The feedback of all cases, and that of a complaint that has not arrived."""
    rows = [
        feedback_row(f"{number}-{name}", number, verdict, source, at(day))
        for number, case in enumerate(LABEL_CASES, 1)
        for name, verdict, source, day in case.given
    ]
    return [*rows, feedback_row("unknown", 10_000, S, "event", at(1))]


def feedback_row(
    feedback_id: str, complaint_id: int, verdict: Verdict, source: str, given_at: datetime
) -> dict[str, Any]:
    """A row of `silver.feedback`; columns that labels do not depend on are missing."""
    return {
        "feedback_id": feedback_id,
        "complaint_id": complaint_id,
        "verdict": str(verdict),
        "is_successful_resolution": verdict.label,
        "source": source,
        "given_at": given_at,
    }


def described(case: LabelCase) -> str:
    """The case as a row of the table in `docs/loop.md`."""
    words = {None: "unknown", 1.0: "success", 0.0: "failure"}
    given = ", ".join(f"{source} {name} {verdict} on day {day}" for name, verdict, source, day in case.given)
    label, _, source, conflicts, reversals = case.expected
    cells = (case.name, words[case.published], given, words[label], source or "", conflicts, reversals)
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
