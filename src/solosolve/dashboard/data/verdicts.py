"""Verdicts that a browser submits: checked, completed from the tables, and withdrawn."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any, TypeGuard

from solosolve.clock import now
from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.complaint_lookup import complaint_id_from_json, predictions_of
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.second_readings import is_due_for
from solosolve.errors import UsageError
from solosolve.names import FEEDBACK, PICKED_AUDIT, PICKED_SECOND, PICKED_UNCERTAIN, REVIEW_LABEL, SECOND_READING
from solosolve.storage.feedback import Feedback, FeedbackLog, Verdict

REASONS = (
    "The narrative says so", "The company's response says so", "A similar complaint ended this way",
    "The narrative is unclear", "Other",
)  # fmt: skip

MAX_NOTE_LENGTH = 2_000

_SUBMISSION_ID = re.compile(r"[0-9a-f]{32}")
_COPIED_COLUMNS = ("model_version", "probability", "company", "state", "product")


def new_review_item(complaint_id: int, pick: object = None) -> dict[str, object]:
    """Returns a complaint to review and the id of the verdict to come: however often it is sent, it is one row.

    Args:
        complaint_id: The complaint.
        pick: How the queue picked it: `picked_by` and `pick_probability`; None for a complaint that was looked up.
    """
    names = ("picked_by", "pick_probability")
    picked = {name: pick.get(name) for name in names} if isinstance(pick, Mapping) else {}
    return {"complaint_id": complaint_id, "submission": uuid.uuid4().hex, **picked}


def is_showing(shown: object, item: object) -> TypeGuard[Mapping[str, object]]:
    """Whether the page already shows the complaint under review, so that no verdict falls on one nobody has seen.

    Args:
        shown: What the page shows.
        item: The complaint under review, from `new_review_item`.
    """
    names = ("complaint_id", "submission")
    return (
        isinstance(item, dict) and isinstance(shown, dict) and all(item.get(name) == shown.get(name) for name in names)
    )


def build_feedback(
    answers: Answers, shown: Mapping[str, object], verdict: Verdict, reason: object, note: object, reviewer: str
) -> Feedback:
    """Builds the row for a submitted verdict; the prediction comes from the table, not from the browser.

    Args:
        answers: Answers from the tables.
        shown: What the page shows: `complaint_id`, `submission`, `model_version` and `scored_at` of a prediction, and
            `picked_by` and `pick_probability` if the complaint is from the queue.
        verdict: The verdict.
        reason: One of REASONS, or None.
        note: The reviewer's own words, or None.
        reviewer: The user who submits it.

    Raises:
        UsageError: The submission is incomplete or malformed, or the complaint has no such prediction.
        TableError: The prediction cannot be read.
    """
    complaint_id = complaint_id_from_json(shown.get("complaint_id"))
    submission = shown.get("submission")
    if complaint_id is None or not isinstance(submission, str) or not _SUBMISSION_ID.fullmatch(submission):
        raise UsageError("select a complaint first")
    stated_reason = _stated_reason(reason, note)
    version, scored_at = shown.get("model_version"), shown.get("scored_at")
    predictions = [
        row
        for row in predictions_of(answers, complaint_id)
        if (row["model_version"], str(row["scored_at"])) == (version, scored_at)
    ]
    if not predictions:
        raise UsageError(f"complaint {complaint_id} does not have the prediction on this page; reload the page")
    is_second = shown.get("picked_by") == PICKED_SECOND
    if is_second and not is_due_for(answers, complaint_id, reviewer, submission):
        raise UsageError(f"complaint {complaint_id} does not wait for a second reading by you; go on to the next one")
    picked_by, pick_probability = (None, None) if is_second else _pick(answers, shown)
    return Feedback(
        feedback_id=submission,
        complaint_id=complaint_id,
        verdict=verdict,
        reviewer=reviewer,
        reason=stated_reason,
        given_at=now(),
        **_copied(predictions[0]),
        source=SECOND_READING if is_second else REVIEW_LABEL,
        picked_by=picked_by,
        pick_probability=pick_probability,
    )


def _pick(answers: Answers, shown: Mapping[str, object]) -> tuple[str | None, float | None]:
    """How the queue picked the complaint, as the page says.

    A random pick counts for as many complaints as its probability says, so that must be one that the queue can give.

    Raises:
        UsageError: The page says something that the queue cannot.
    """
    picked_by, probability = shown.get("picked_by"), shown.get("pick_probability")
    if picked_by in (None, PICKED_UNCERTAIN) and probability is None:
        return (None if picked_by is None else PICKED_UNCERTAIN), None
    if picked_by == PICKED_AUDIT and isinstance(probability, float | int) and not isinstance(probability, bool):
        bins = answers.ask(questions.score_distribution(Filters())).to_pylist()
        count = sum(row["n"] for row in bins if row["model_version"] == shown.get("model_version"))
        if count and 1 / count <= probability <= 1:
            return PICKED_AUDIT, float(probability)
    raise UsageError("this complaint is not from the queue; reload the page")


def _stated_reason(reason: object, note: object) -> str:
    """Joins the reason and the note that the form sent.

    Raises:
        UsageError: Both are missing, or one is not what the form can send.
    """
    if reason is not None and reason not in REASONS:
        raise UsageError("select a reason from the list")
    if note is not None and (not isinstance(note, str) or len(note) > MAX_NOTE_LENGTH):
        raise UsageError(f"a note can have at most {MAX_NOTE_LENGTH:,} characters; shorten it")
    parts = [str(part) for part in (reason, note and note.strip()) if part]
    if not parts:
        raise UsageError("give a reason or a note")
    return ": ".join(parts)


def is_recorded(answers: Answers, feedback: Feedback) -> bool:
    """Whether the table already holds this verdict, because its submission was sent twice."""
    sql = f"select verdict from {FEEDBACK} where feedback_id = :feedback_id"
    found = answers.query(sql, (FEEDBACK,), {"feedback_id": feedback.feedback_id}).to_pylist()
    return [row["verdict"] for row in found] == [str(feedback.verdict)]


def withdraw(answers: Answers, log: FeedbackLog, submission: object, reviewer: str) -> Feedback:
    """Withdraws a verdict by appending a row with the same id.

    Args:
        answers: Answers from the tables.
        log: Where the row is appended.
        submission: The id of the verdict.
        reviewer: The user who withdraws it.

    Returns:
        The withdrawal.

    Raises:
        UsageError: There is no such verdict, or someone else gave it.
        TableError: The table cannot be read or written.
    """
    if not isinstance(submission, str) or not _SUBMISSION_ID.fullmatch(submission):
        raise UsageError("select a verdict from the list to withdraw it")
    sql = f"select * from {FEEDBACK} where feedback_id = :feedback_id and verdict <> '{Verdict.WITHDRAWN}'"
    found = answers.query(sql, (FEEDBACK,), {"feedback_id": submission}).to_pylist()
    if not found:
        raise UsageError("this verdict does not exist; reload the page")
    given = found[0]
    if given["reviewer"] != reviewer:
        raise UsageError(f"only {given['reviewer'] or 'its sender'}, who gave this verdict, can withdraw it")
    withdrawal = Feedback(
        feedback_id=submission,
        complaint_id=given["complaint_id"],
        verdict=Verdict.WITHDRAWN,
        reviewer=reviewer,
        reason=None,
        given_at=now(),
        **_copied(given),
        source=given["source"],
        # A table of an earlier release does not have these columns until the next verdict.
        picked_by=given.get("picked_by"),
        pick_probability=given.get("pick_probability"),
    )
    log.record(withdrawal)
    return withdrawal


def _copied(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the columns that feedback copies from a prediction or from the verdict that it withdraws."""
    return {name: row[name] for name in _COPIED_COLUMNS}
