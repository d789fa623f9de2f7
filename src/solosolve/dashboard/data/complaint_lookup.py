"""Everything the tables hold about one complaint."""

from __future__ import annotations

from typing import Any

from solosolve.dashboard.data.answers import Answers
from solosolve.landing.normalise import parse_complaint_id
from solosolve.names import COMPLAINTS, FEEDBACK, FILED_COLUMNS, PREDICTIONS, REQUESTS
from solosolve.storage.feedback import CURRENT_VERDICTS

_OUTCOME = (
    "company_response_to_consumer", "timely_response", "consumer_disputed", "company_public_response",
    "date_sent_to_company",
)  # fmt: skip


def complaint_id_from_json(value: object) -> int | None:
    """Returns a complaint id that a browser sent as a JSON number; None if it is not one."""
    return parse_complaint_id(value) if isinstance(value, int) and not isinstance(value, bool) else None


def predictions_of(answers: Answers, complaint_id: int) -> list[dict[str, Any]]:
    """Returns a complaint's predictions, newest first, at most 50.

    Raises:
        TableError: The table cannot be read.
    """
    sql = f"select * from {PREDICTIONS} where complaint_id = :complaint_id order by scored_at desc limit 50"
    found: list[dict[str, Any]] = answers.query(sql, (PREDICTIONS,), {"complaint_id": complaint_id}).to_pylist()
    return found


def filed_complaint(answers: Answers, complaint_id: int) -> dict[str, Any] | None:
    """Returns a complaint's FILED_COLUMNS: as silver has it, or else as its newest request has it.

    None if no table holds it, as for requests through Kafka that release 0.1 scored.

    Raises:
        TableError: A table cannot be read.
    """
    for table, order in ((COMPLAINTS, "complaint_id"), (REQUESTS, "requested_at desc nulls last")):
        if answers.versions((table,))[table] is None:
            continue
        columns = ", ".join(FILED_COLUMNS)
        sql = f"select {columns} from {table} where complaint_id = :complaint_id order by {order} limit 1"
        found: list[dict[str, Any]] = answers.query(sql, (table,), {"complaint_id": complaint_id}).to_pylist()
        if found:
            return found[0]
    return None


def outcome_of(answers: Answers, complaint_id: int) -> dict[str, Any]:
    """Returns what became of a complaint, as published; empty if silver does not hold it.

    Raises:
        TableError: The table cannot be read.
    """
    if answers.versions((COMPLAINTS,))[COMPLAINTS] is None:
        return {}
    sql = f"select {', '.join(_OUTCOME)} from {COMPLAINTS} where complaint_id = :complaint_id limit 1"
    found: list[dict[str, Any]] = answers.query(sql, (COMPLAINTS,), {"complaint_id": complaint_id}).to_pylist()
    return found[0] if found else {}


def verdicts_on(answers: Answers, complaint_id: int) -> list[dict[str, Any]]:
    """Returns the reviewers' verdicts on a complaint that have not been withdrawn, newest first, at most 50.

    Raises:
        TableError: The table cannot be read.
    """
    if answers.versions((FEEDBACK,))[FEEDBACK] is None:
        return []
    sql = (
        f"select given_at, verdict, reviewer, reason from {CURRENT_VERDICTS} as verdicts "
        "where complaint_id = :complaint_id order by given_at desc limit 50"
    )
    found: list[dict[str, Any]] = answers.query(sql, (FEEDBACK,), {"complaint_id": complaint_id}).to_pylist()
    return found
