"""Searches over predictions: what a browser may ask for, and the rows that are found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solosolve.dashboard.data.answers import Answers, ask_where
from solosolve.dashboard.data.filters import Condition, Filters
from solosolve.dashboard.data.questions import chosen_predictions
from solosolve.dashboard.data.verdicts import LARGEST_ID
from solosolve.errors import UsageError
from solosolve.names import PREDICTIONS
from solosolve.storage.reader import TableVersion, Value

COLUMNS = {
    "complaint_id": "Complaint", "probability": "Probability", "prediction": "Predicted", "company": "Company",
    "product": "Product", "state": "State", "scored_at": "Scored", "model_version": "Version", "source": "Source",
}  # fmt: skip
"""Columns of the table and of an export, by the names of `gold.predictions`."""

REACHED_ROWS = 100_000
"""Rows of an order that pages and exports reach; what lies behind them a narrower search finds, or `solosolve sql`.

The engine sorts as many rows as an offset skips, and millions would take gigabytes."""

ALL_PROBABILITIES = (0.0, 1.0)

_MOST_ROWS_AT_ONCE = 500
_TIES = ("complaint_id", "model_version", "source")


@dataclass(frozen=True)
class Search:
    """What the table shows.

    Attributes:
        filters: As the address says.
        complaint_id: This complaint only.
        lowest: Probabilities from here.
        highest: To here.
    """

    filters: Filters
    complaint_id: int | None = None
    lowest: float = 0.0
    highest: float = 1.0

    @classmethod
    def of(cls, search: object, complaint_id: object, probability: object) -> Search:
        """Reads what a browser sent.

        Raises:
            UsageError: It is not what the controls can say.
        """
        text = complaint_id.strip() if isinstance(complaint_id, str) else ""
        if text and not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST_ID):
            raise UsageError("a complaint's id is a number")
        bounds = probability if isinstance(probability, list) else list(ALL_PROBABILITIES)
        if len(bounds) != 2 or not all(type(b) in (int, float) and 0 <= b <= 1 for b in bounds):
            raise UsageError("a probability lies between 0 and 1")
        return cls(Filters.parse(search), int(text) if text else None, float(bounds[0]), float(bounds[1]))

    @classmethod
    def from_text(cls, text: object) -> Search:
        """Reads what `to_text` wrote.

        Raises:
            UsageError: It did not.
        """
        try:
            search, complaint_id, lowest, highest = json.loads(str(text))
        except (ValueError, TypeError, RecursionError):
            raise UsageError("not a search") from None
        return cls.of(search, complaint_id, [lowest, highest])

    def to_text(self) -> str:
        """The search in one text, which an address can hold."""
        shown = str(self.complaint_id) if self.complaint_id is not None else ""
        return json.dumps([self.filters.to_search(), shown, self.lowest, self.highest])

    @property
    def condition(self) -> Condition:
        """Which rows of `gold.predictions` are meant."""
        condition = chosen_predictions(self.filters)
        if self.complaint_id is not None:
            condition &= Condition("complaint_id = :complaint_id", (("complaint_id", self.complaint_id),))
        if (self.lowest, self.highest) != ALL_PROBABILITIES:
            bounds: tuple[tuple[str, Value], ...] = (("lowest", self.lowest), ("highest", self.highest))
            condition &= Condition("probability >= :lowest and probability <= :highest", bounds)
        return condition


def count_rows(answers: Answers, search: Search) -> int:
    """How many predictions a search finds."""
    question = ask_where("count(*) as n", PREDICTIONS, search.condition, sums=("n",))
    return int(answers.ask(question).column("n")[0].as_py())


def rows_of(
    answers: Answers, search: Search, order: str, limit: int, offset: int, commit: int | None = None
) -> list[dict[str, Any]]:
    """Some of the predictions that a search finds, as of a commit: on a table that grows, pages would overlap."""
    columns = ", ".join(COLUMNS)
    where = f"where {search.condition.sql} order by {order} limit {limit} offset {offset}"
    sql = f"select {columns} from {PREDICTIONS} {where}"
    newest, versions = answers.reader.version(PREDICTIONS), {}
    if newest is not None and commit is not None and commit <= newest.number:
        versions = {PREDICTIONS: TableVersion(newest.table_id, commit)}
    found: list[dict[str, Any]] = answers.reader.query(sql, dict(search.condition.parameters), versions).to_pylist()
    for row in found:
        row["scored_at"] = f"{row['scored_at']:%Y-%m-%d %H:%M:%S}"
        row["probability"] = round(row["probability"], 4)
        row["prediction"] = "successful" if row["prediction"] == 1.0 else "not successful"
    return found


def newest_first() -> str:
    """The order of an export, and of the table until a column is chosen."""
    return ", ".join(["scored_at desc", *_TIES])


def range_of(request: Mapping[str, object]) -> tuple[int, int]:
    """The first row and the one behind the last that a browser asks for.

    Raises:
        UsageError: It is no range, or too large, or reaches too far.
    """
    start, end = request.get("startRow"), request.get("endRow")
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end <= start + _MOST_ROWS_AT_ONCE:
        raise UsageError("not a range of rows")
    if end > REACHED_ROWS + _MOST_ROWS_AT_ONCE:
        raise UsageError("not a range of rows")
    return start, end


def order_of(sorting: object) -> str:
    """The order that a browser asks for, in the table's own column names."""
    parts = []
    for item in sorting[:3] if isinstance(sorting, list) else []:
        if isinstance(item, dict) and item.get("colId") in COLUMNS and item.get("sort") in ("asc", "desc"):
            parts.append(f"{item['colId']} {item['sort']}")
    return ", ".join([*parts, *_TIES]) if parts else newest_first()


def commit_of(name: Mapping[str, object]) -> int | None:
    """The commit that a browser's table shows; None where it says none."""
    commit = name.get("commit")
    return commit if isinstance(commit, int) and commit >= 0 else None


def count_of(name: Mapping[str, object]) -> int:
    """The rows of a browser's table; it is told what it said."""
    count = name.get("count")
    return count if isinstance(count, int) and count >= 0 else 0
