"""Searches over `gold.predictions`: what a browser may ask for, and the rows found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from solosolve.dashboard.data.answers import Answers, ask_where
from solosolve.dashboard.data.filters import Condition, Filters
from solosolve.dashboard.data.questions import matching_predictions
from solosolve.errors import UsageError
from solosolve.landing.normalise import COMPLAINT_ID_DIGITS, parse_complaint_id
from solosolve.names import OUTCOME_NAMES, PREDICTIONS
from solosolve.storage.reader import TableVersion, Value

COLUMNS = {
    "complaint_id": "Complaint", "probability": "Probability", "prediction": "Predicted", "company": "Company",
    "product": "Product", "state": "State", "scored_at": "Scored", "model_version": "Version", "source": "Source",
}  # fmt: skip
"""Columns of `gold.predictions` in the table and the export, and their headings on screen."""

MAX_ROWS = 100_000
"""Rows that paging and an export can reach in one order; a narrower search or `solosolve sql` finds the rest.

To skip rows the engine must sort them too, and for millions that takes gigabytes."""

ALL_PROBABILITIES = (0.0, 1.0)

_TIE_BREAKERS = ("complaint_id", "model_version", "source")

NEWEST_FIRST = ", ".join(["scored_at desc", *_TIE_BREAKERS])
"""The order of an export, and of the table until a column is selected."""

_MAX_PAGE_ROWS = 500
_MAX_SORT_COLUMNS = 3


@dataclass(frozen=True)
class Search:
    """What the table of predictions shows.

    Attributes:
        filters: The filters of the page.
        complaint_id: Only this complaint; None for all.
        lowest: The lowest probability, included.
        highest: The highest probability, included.
    """

    filters: Filters
    complaint_id: int | None = None
    lowest: float = 0.0
    highest: float = 1.0

    @classmethod
    def from_controls(cls, search: object, complaint_id: object, probability: object) -> Search:
        """Reads what the browser's controls sent.

        Args:
            search: The query string of the page's address.
            complaint_id: The text in the complaint box.
            probability: The lowest and the highest probability.

        Raises:
            UsageError: A value is not one that its control can have.
        """
        text = complaint_id.strip() if isinstance(complaint_id, str) else ""
        number = parse_complaint_id(text)
        if text and number is None:
            raise UsageError(f"Search takes a complaint number of up to {COMPLAINT_ID_DIGITS} digits")
        bounds = probability if isinstance(probability, list) else list(ALL_PROBABILITIES)
        if len(bounds) != 2 or not all(type(bound) in (int, float) and 0 <= bound <= 1 for bound in bounds):
            raise UsageError("Search takes the lowest and the highest probability, both between 0 and 1")
        return cls(Filters.parse(search), number, float(bounds[0]), float(bounds[1]))

    @classmethod
    def from_text(cls, text: object) -> Search:
        """Reads what `to_text` wrote.

        Raises:
            UsageError: The text is not a search.
        """
        try:
            search, complaint_id, lowest, highest = json.loads(str(text))
        except (ValueError, TypeError, RecursionError):
            raise UsageError("The search in this address cannot be read; search again in the dashboard") from None
        return cls.from_controls(search, complaint_id, [lowest, highest])

    def to_text(self) -> str:
        """Writes the search as one text that an address can hold."""
        complaint = "" if self.complaint_id is None else str(self.complaint_id)
        return json.dumps([self.filters.to_search(), complaint, self.lowest, self.highest])

    @property
    def condition(self) -> Condition:
        """The condition that a row of `gold.predictions` is found."""
        condition = matching_predictions(self.filters)
        if self.complaint_id is not None:
            condition &= Condition("complaint_id = :complaint_id", (("complaint_id", self.complaint_id),))
        if (self.lowest, self.highest) != ALL_PROBABILITIES:
            bounds: tuple[tuple[str, Value], ...] = (("lowest", self.lowest), ("highest", self.highest))
            condition &= Condition("probability >= :lowest and probability <= :highest", bounds)
        return condition


def count_found(answers: Answers, search: Search) -> int:
    """Counts the predictions that a search finds."""
    question = ask_where("count(*) as n", PREDICTIONS, search.condition, sums=("n",))
    return int(answers.ask(question).column("n")[0].as_py())


def read_page(
    answers: Answers, search: Search, order: str, limit: int, offset: int, commit: int | None = None
) -> list[dict[str, Any]]:
    """Reads one page of the predictions that a search finds, formatted for the table.

    Args:
        answers: Answers from the tables.
        search: What to find.
        order: The `order by` list, from `parse_order`.
        limit: Rows in the page.
        offset: Rows before the page.
        commit: The commit to read, so that the pages of a growing table don't overlap; None for the newest.

    Returns:
        One dict per row, with the keys of COLUMNS.

    Raises:
        TableError: The table cannot be read.
    """
    newest, versions = answers.reader.version(PREDICTIONS), {}
    if newest is not None and commit is not None and commit <= newest.number:
        versions = {PREDICTIONS: TableVersion(newest.table_id, commit)}
    sql = f"{_select(search)} order by {order} limit {limit} offset {offset}"
    rows: list[dict[str, Any]] = answers.query(
        sql, (PREDICTIONS,), dict(search.condition.parameters), versions
    ).to_pylist()
    for row in rows:
        row["scored_at"] = f"{row['scored_at']:%Y-%m-%d %H:%M:%S}"
        row["probability"] = round(row["probability"], 4)
        row["prediction"] = OUTCOME_NAMES[row["prediction"]]
    return rows


def read_export(answers: Answers, search: Search) -> pa.Table:
    """Reads the newest MAX_ROWS predictions that a search finds, with the columns of COLUMNS.

    Raises:
        TableError: The table cannot be read.
    """
    sql = f"{_select(search)} order by {NEWEST_FIRST} limit {MAX_ROWS}"
    return answers.query(sql, (PREDICTIONS,), dict(search.condition.parameters))


def _select(search: Search) -> str:
    return f"select {', '.join(COLUMNS)} from {PREDICTIONS} where {search.condition.sql}"


def parse_range(request: Mapping[str, object]) -> tuple[int, int]:
    """Returns the rows that a browser asks for: the first, and the one after the last.

    Raises:
        UsageError: The request has no range, or one that is too large or starts too late.
    """
    start, end = request.get("startRow"), request.get("endRow")
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end <= start + _MAX_PAGE_ROWS:
        raise UsageError(f"A page has 1 to {_MAX_PAGE_ROWS} rows")
    if end > MAX_ROWS + _MAX_PAGE_ROWS:
        raise UsageError(f"Pages reach the first {MAX_ROWS:,} rows; narrow the search")
    return start, end


def parse_order(sort_model: object) -> str:
    """Returns the `order by` list that a browser asks for; unknown columns and directions are ignored."""
    parts = []
    for item in sort_model[:_MAX_SORT_COLUMNS] if isinstance(sort_model, list) else []:
        column, direction = (item.get("colId"), item.get("sort")) if isinstance(item, dict) else (None, None)
        if isinstance(column, str) and column in COLUMNS and direction in ("asc", "desc"):
            parts.append(f"{column} {direction}")
    return ", ".join([*parts, *_TIE_BREAKERS]) if parts else NEWEST_FIRST


def parse_commit(table_id: Mapping[str, object]) -> int | None:
    """Returns the commit in the id of a browser's table; None if it has none."""
    commit = table_id.get("commit")
    return commit if isinstance(commit, int) and commit >= 0 else None


def parse_count(table_id: Mapping[str, object]) -> int:
    """Returns the row count in the id of a browser's table; 0 if it has none."""
    count = table_id.get("count")
    return count if isinstance(count, int) and count >= 0 else 0
