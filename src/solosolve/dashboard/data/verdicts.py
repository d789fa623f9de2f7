"""Verdicts as a browser submits them: checked, completed from the tables, and taken back."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeGuard

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.views.complaint_details import predictions_of
from solosolve.dashboard.web.security import who_asks
from solosolve.errors import UsageError
from solosolve.names import FEEDBACK
from solosolve.storage.feedback import Feedback, FeedbackLog, Verdict

REASONS = (
    "The narrative says so", "The company's answer says so", "A similar complaint ended so",
    "The narrative is unclear", "Other",
)  # fmt: skip

LONGEST_NOTE = 2_000
LARGEST_ID = 2**63 - 1

_SUBMISSION = re.compile(r"[0-9a-f]{32}")


def item_of(complaint_id: int) -> dict[str, object]:
    """What is being reviewed, and the id of the submission to come: sent twice, it is one row."""
    return {"complaint_id": complaint_id, "submission": uuid.uuid4().hex}


def is_shown(shown: object, item: object) -> TypeGuard[Mapping[str, object]]:
    """Whether what a page shows is what is being reviewed: a verdict in between would be on what nobody saw."""
    names = ("complaint_id", "submission")
    return (
        isinstance(item, dict) and isinstance(shown, dict) and all(item.get(name) == shown.get(name) for name in names)
    )


def verdict_of(
    answers: Answers, shown: Mapping[str, object], verdict: Verdict, reason: object, note: object
) -> Feedback:
    """The row that a browser's submission amounts to; the prediction that was shown is looked up, not believed.

    Raises:
        UsageError: It is not a submission, or the complaint has no prediction.
        TableError: The prediction cannot be read.
    """
    number, submission = complaint_id_of(shown.get("complaint_id")), shown.get("submission")
    if number is None or not isinstance(submission, str) or not _SUBMISSION.fullmatch(submission):
        raise UsageError("choose a complaint first")
    if reason is not None and reason not in REASONS:
        raise UsageError("choose a reason of the list")
    if note is not None and (not isinstance(note, str) or len(note) > LONGEST_NOTE):
        raise UsageError(f"a note has at most {LONGEST_NOTE:,} characters")
    words = [text for text in (reason, note and note.strip()) if text]
    if not words:
        raise UsageError("give a reason, or a note")
    found = [
        row for row in predictions_of(answers, number)
        if (row["model_version"], str(row["scored_at"])) == (shown.get("model_version"), shown.get("scored_at"))
    ]  # fmt: skip
    if not found:
        raise UsageError(f"complaint {number} has no such prediction")
    seen = found[0]
    return Feedback(
        feedback_id=submission,
        complaint_id=number,
        verdict=verdict,
        reviewer=who_asks(),
        reason=": ".join(str(word) for word in words),
        given_at=datetime.now(UTC),
        model_version=seen["model_version"],
        probability=seen["probability"],
        company=seen["company"],
        state=seen["state"],
        product=seen["product"],
    )


def is_recorded(answers: Answers, feedback: Feedback) -> bool:
    """Whether just this verdict stands in the table: a submission that is sent again has been recorded."""
    sql = f"select verdict from {FEEDBACK} where feedback_id = :feedback_id"
    found = answers.reader.query(sql, {"feedback_id": feedback.feedback_id}).to_pylist()
    return [row["verdict"] for row in found] == [str(feedback.verdict)]


def withdraw(answers: Answers, log: FeedbackLog, submission: object) -> str:
    """Takes a verdict back, by a row of its own.

    Raises:
        UsageError: There is no such verdict.
        TableError: The table cannot be read or written.
    """
    if not isinstance(submission, str) or not _SUBMISSION.fullmatch(submission):
        raise UsageError("not a verdict")
    sql = f"select * from {FEEDBACK} where feedback_id = :feedback_id and verdict <> 'withdrawn'"
    found = answers.reader.query(sql, {"feedback_id": submission}).to_pylist()
    if not found:
        raise UsageError("there is no such verdict")
    given = found[0]
    if given["reviewer"] != who_asks():
        raise UsageError(f"only {given['reviewer']} can take it back")
    taken = Feedback(
        feedback_id=submission,
        complaint_id=given["complaint_id"],
        verdict=Verdict.WITHDRAWN,
        reviewer=who_asks(),
        reason=None,
        given_at=datetime.now(UTC),
        **{name: given[name] for name in ("model_version", "probability", "company", "state", "product")},
    )
    log.record(taken)
    return submission


def complaint_id_of(value: object) -> int | None:
    """A complaint's id as a browser sends it; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= LARGEST_ID else None
