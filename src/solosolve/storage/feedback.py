"""What reviewers say of predictions: rows of `silver.feedback`, each written once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from solosolve.names import FEEDBACK


class Verdict(StrEnum):
    """A reviewer's verdict; WITHDRAWN takes back the row with the same `feedback_id`."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNSURE = "unsure"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> float | None:
        """1.0 for success, 0.0 for failure, None for the others."""
        return {Verdict.SUCCESS: 1.0, Verdict.FAILURE: 0.0}.get(self)


CURRENT_VERDICTS = (
    f"(select * from {FEEDBACK} where verdict <> '{Verdict.WITHDRAWN}' and feedback_id not in "
    f"(select feedback_id from {FEEDBACK} where verdict = '{Verdict.WITHDRAWN}'))"
)
"""A subquery for the verdicts in `silver.feedback` that have not been withdrawn."""


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
        source: Where the verdict came from.
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
    source: str = "review"

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
        }


class FeedbackLog(Protocol):
    """A place that keeps feedback."""

    def record(self, feedback: Feedback) -> bool:
        """Appends feedback once.

        A verdict is left out if its id is already recorded or the complaint has another verdict; a withdrawal, if
        the verdict has been withdrawn before.

        Returns:
            Whether a row was appended.

        Raises:
            TableError: The row cannot be written now.
        """
        ...
