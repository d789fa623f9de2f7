"""What has come in since a chosen time: how many complaints, how many of them are likely to fail, and which ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from solosolve.clock import now
from solosolve.dashboard.data.answers import Answers, Question, ask_where
from solosolve.dashboard.data.filters import SPANS, Condition, Filters
from solosolve.dashboard.data.questions import matching_predictions
from solosolve.names import FEEDBACK, PREDICTIONS
from solosolve.storage.feedback import LIVE_FEEDBACK

SINCE = MappingProxyType(
    {
        "15m": ("15 minutes", timedelta(minutes=1)),
        "24h": ("24 hours", timedelta(minutes=10)),
        "7d": ("7 days", timedelta(hours=1)),
    }
)
"""A span's name in the address to its name on the page and the step in which its start moves on.

A question with another start is a new question, which is read from the table; so the start moves on in steps."""

_LISTED = 10


def start_of(since: str) -> datetime:
    """Returns the first instant of a span that ends now, rounded down to the span's step."""
    seconds = SINCE[since][1].total_seconds()
    return datetime.fromtimestamp((now() - SPANS[since]).timestamp() // seconds * seconds, UTC)


def _arrived(filters: Filters) -> Condition:
    start = start_of(filters.since)
    return matching_predictions(filters) & Condition("scored_at >= :since", (("since", start),))


def arrivals(answers: Answers, filters: Filters) -> dict[str, int]:
    """Counts the complaints that have been scored since the chosen time.

    Returns:
        `complaints`, those of them that came by a `stream`, and those `failing`: that a version which has scored them
        since then expects not to succeed.

    Raises:
        NotYetError: There are no predictions.
    """
    select = (
        "count(distinct complaint_id) as complaints, "
        "count(distinct case when batch_id is not null then complaint_id end) as streamed, "
        "count(distinct case when prediction = 0 then complaint_id end) as failing"
    )
    row: dict[str, int] = answers.ask(ask_where(select, PREDICTIONS, _arrived(filters))).to_pylist()[0]
    return row


def waiting(answers: Answers, filters: Filters) -> int:
    """Counts the complaints of `arrivals` that are expected to fail and have no verdict and no reported outcome.

    Raises:
        NotYetError: There are no predictions.
    """
    found = _ask_unread(answers, "count(distinct complaint_id) as n", filters)
    return int(found[0]["n"])


def failing_by(answers: Answers, column: str, filters: Filters) -> list[dict[str, Any]]:
    """Counts complaints by a column, those with the most failures first.

    Args:
        answers: Answers from the tables.
        column: `product` or `company`; it must never come from a browser.
        filters: The filters of the page.

    Returns:
        Dicts with the column, `failing` and `n`, the number of complaints; at most ten.

    Raises:
        NotYetError: There are no predictions.
    """
    select = (
        f"{column}, count(distinct case when prediction = 0 then complaint_id end) as failing, "
        "count(distinct complaint_id) as n"
    )
    rest = f"group by 1 order by failing desc, n desc, {column} limit {_LISTED}"
    found: list[dict[str, Any]] = answers.ask(ask_where(select, PREDICTIONS, _arrived(filters), rest)).to_pylist()
    return found


def least_likely(answers: Answers, filters: Filters) -> list[dict[str, Any]]:
    """Returns the ten complaints of `waiting` that are least likely to succeed, the least likely first.

    Each has `complaint_id`, `probability`, `product`, `company`, `state` and `scored_at`.

    Raises:
        NotYetError: There are no predictions.
    """
    select = (
        "complaint_id, min(probability) as probability, min(product) as product, min(company) as company, "
        "min(state) as state, max(scored_at) as scored_at"
    )
    rest = f"group by 1 order by probability, complaint_id limit {_LISTED}"
    return _ask_unread(answers, select, filters, rest)


def _ask_unread(answers: Answers, select: str, filters: Filters, rest: str = "") -> list[dict[str, Any]]:
    condition = _arrived(filters)
    has_feedback = answers.versions((FEEDBACK,))[FEEDBACK] is not None
    judged = f" and complaint_id not in (select complaint_id from {LIVE_FEEDBACK} as given)" if has_feedback else ""
    sql = f"select {select} from {PREDICTIONS} where {condition.sql} and prediction = 0{judged} {rest}"
    tables = (PREDICTIONS, FEEDBACK) if has_feedback else (PREDICTIONS,)
    found: list[dict[str, Any]] = answers.ask(Question(sql, tables, condition.parameters)).to_pylist()
    return found
