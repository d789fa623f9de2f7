"""What reviewers say of predictions: rows of `silver.feedback`, each written once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from solosolve.names import FEEDBACK, REVIEW_LABEL, SECOND_READING, Verdict

__all__ = ["ALL_VERDICTS", "CURRENT_VERDICTS", "LIVE_FEEDBACK", "Feedback", "FeedbackLog", "Verdict"]


_IS_LIVE = (
    f"verdict <> '{Verdict.WITHDRAWN}' and feedback_id not in "
    f"(select feedback_id from {FEEDBACK} where verdict = '{Verdict.WITHDRAWN}')"
)

LIVE_FEEDBACK = f"(select * from {FEEDBACK} where source <> '{SECOND_READING}' and {_IS_LIVE})"
"""A subquery for the rows of `silver.feedback` that have not been withdrawn: verdicts and observed events, without
second readings."""

CURRENT_VERDICTS = f"(select * from {FEEDBACK} where source = '{REVIEW_LABEL}' and {_IS_LIVE})"
"""A subquery for the reviewers' verdicts that have not been withdrawn; a complaint has at most one."""

ALL_VERDICTS = f"(select * from {FEEDBACK} where source in ('{REVIEW_LABEL}', '{SECOND_READING}') and {_IS_LIVE})"
"""A subquery for the reviewers' verdicts and second readings that have not been withdrawn."""


@dataclass(frozen=True)
class Feedback:
    """One row of `silver.feedback`.

    Attributes:
        feedback_id: Id of the submission; it stays the same when the submission is sent again.
        complaint_id: The complaint.
        verdict: The verdict.
        reviewer: Who gave it.
        reason: Why, in the reviewer's words; None for a withdrawal.
        given_at: When it was given.
        model_version: The version whose prediction the reviewer saw.
        probability: The probability that the reviewer saw.
        company: The complaint's company.
        state: The complaint's state.
        product: The complaint's product.
        source: Where the verdict came from: a review, or a second reading, of which a complaint can have one each.
        picked_by: How the review queue picked the complaint; None for one that the reviewer looked up.
        pick_probability: For a random pick, how likely each waiting complaint was to be picked.
    """

    feedback_id: str
    complaint_id: int
    verdict: Verdict
    reviewer: str
    reason: str | None
    given_at: datetime
    model_version: int | None
    probability: float | None
    company: str | None
    state: str | None
    product: str | None
    source: str = REVIEW_LABEL
    picked_by: str | None = None
    pick_probability: float | None = None

    def as_row(self) -> dict[str, object]:
        """Column names and values."""
        return {
            "feedback_id": self.feedback_id,
            "complaint_id": self.complaint_id,
            "verdict": str(self.verdict),
            "is_successful_resolution": self.verdict.label,
            "source": self.source,
            "reviewer": self.reviewer,
            "reason": self.reason,
            "given_at": self.given_at,
            "model_version": self.model_version,
            "probability": self.probability,
            "company": self.company,
            "state": self.state,
            "product": self.product,
            "picked_by": self.picked_by,
            "pick_probability": self.pick_probability,
        }


class FeedbackLog(Protocol):
    """A place that keeps feedback."""

    def record(self, feedback: Feedback) -> bool:
        """Appends feedback once.

        A verdict is left out if its id is already recorded or the complaint has another one from the same source; a
        withdrawal, if the verdict has been withdrawn before.

        Returns:
            Whether a row was appended.

        Raises:
            TableError: The row cannot be written now.
        """
        ...
