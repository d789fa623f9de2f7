"""What people say of predictions: rows of `silver.feedback`, each written once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import pyarrow as pa


class Verdict(StrEnum):
    """What a reviewer says; WITHDRAWN takes back the row with the same `feedback_id`."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNSURE = "unsure"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> float | None:
        """The label that it amounts to; None where it says neither."""
        return {Verdict.SUCCESS: 1.0, Verdict.FAILURE: 0.0}.get(self)


FEEDBACK_SCHEMA = pa.schema(
    [
        pa.field("feedback_id", pa.string(), nullable=False),
        pa.field("complaint_id", pa.int64(), nullable=False),
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("is_successful_resolution", pa.float64()),
        pa.field("source", pa.string(), nullable=False),
        pa.field("reviewer", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("given_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("model_version", pa.int32()),
        pa.field("probability", pa.float64()),
        pa.field("company", pa.string()),
        pa.field("state", pa.string()),
        pa.field("product", pa.string()),
    ]
)
"""The columns of `silver.feedback`, as writers without a JVM make it."""

FEEDBACK_PROPERTIES = {"delta.enableDeletionVectors": "false", "delta.checkpointInterval": "100"}


@dataclass(frozen=True)
class Feedback:
    """One row of `silver.feedback`.

    Attributes:
        feedback_id: Of the submission: the same however often it is sent.
        complaint_id: What it is about.
        verdict: What was said.
        reviewer: Who said it.
        reason: Why, in the reviewer's words; None where nothing was given.
        given_at: When.
        model_version: Whose prediction the reviewer saw.
        probability: What it said.
        company: The complaint's.
        state: The complaint's.
        product: The complaint's.
        source: Where it came from.
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
        """Column to value."""
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
    """Where feedback is kept."""

    def record(self, feedback: Feedback) -> bool:
        """Appends a verdict, unless one with its id, or another of the complaint, stands; a withdrawal once.

        Returns:
            Whether it was appended.

        Raises:
            TableError: It cannot be written now.
        """
        ...
