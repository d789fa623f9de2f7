"""The predictions that a search finds: how many there are, one page of them, and all of them for an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa

from solosolve.dashboard.data.answers import Answers, Question
from solosolve.dashboard.data.complaint_conditions import condition_on_complaints
from solosolve.dashboard.data.filters import Condition
from solosolve.dashboard.data.questions import matching_predictions
from solosolve.dashboard.data.search import COLUMNS, Search
from solosolve.errors import MissingTableError
from solosolve.names import PREDICTIONS, Table
from solosolve.storage.reader import TableVersion

PAGE_ROWS = 50

MAX_ROWS = 100_000
"""Rows that paging and an export can reach in one order; a narrower search or `solosolve sql` finds the rest.

To skip rows the engine must sort them too, and for millions that takes gigabytes."""

_TIE_BREAKERS = ("complaint_id", "model_version", "source")


@dataclass(frozen=True)
class Shown:
    """What a browser's table shows: it keeps its commit, so that pages of a growing table don't overlap.

    Attributes:
        search: The query string of the search without order and page.
        table_id: The id of the table of predictions.
        commit: The commit of it that is shown.
        count: The predictions found in it.
    """

    search: str
    table_id: str
    commit: int
    count: int

    @classmethod
    def from_json(cls, value: object) -> Shown | None:
        """Reads what a browser sends back; None if it shows nothing yet."""
        found = value if isinstance(value, dict) else {}
        search, table_id = found.get("search"), found.get("table_id")
        commit, count = found.get("commit"), found.get("count")
        if not (isinstance(search, str) and isinstance(table_id, str)):
            return None
        if not all(isinstance(number, int) and number >= 0 for number in (commit, count)):
            return None
        return cls(search, table_id, int(commit or 0), int(count or 0))

    def is_of(self, version: TableVersion) -> bool:
        """Whether the shown commit is one of the table with this newest version."""
        return self.table_id == version.table_id and self.commit <= version.number

    def to_json(self) -> dict[str, Any]:
        """Writes what `from_json` reads."""
        return asdict(self)


def show(answers: Answers, search: Search, before: Shown | None) -> Shown:
    """Returns what a table shows: the commit that it shows already, or the newest one for another search.

    Args:
        answers: Answers from the tables.
        search: What to find.
        before: What it shows; None to show the newest commit.

    Raises:
        MissingTableError: There are no predictions yet.
        UnreadableTablesError: A table cannot be read.
    """
    version = answers.versions((PREDICTIONS,))[PREDICTIONS]
    if version is None:
        raise MissingTableError(PREDICTIONS)
    text = search.from_start().to_search()
    if before is not None and before.search == text and before.is_of(version):
        return before
    return Shown(text, version.table_id, version.number, count_found(answers, search))


def count_newer(answers: Answers, search: Search, shown: Shown) -> int | None:
    """Returns how many predictions a search finds that a table does not show.

    Returns:
        The number; None if there may be some, but to count them would read all complaints again.
    """
    version = answers.versions((PREDICTIONS,))[PREDICTIONS]
    if version is None or (version.table_id == shown.table_id and version.number <= shown.commit):
        return 0
    if condition_on_complaints(answers, search).tables:
        return None
    return max(0, count_found(answers, search) - shown.count)


def count_found(answers: Answers, search: Search) -> int:
    """Counts the predictions that a search finds."""
    condition, tables = _where(answers, search)
    question = Question(f"select count(*) as n from {PREDICTIONS} where {condition.sql}", tables,
                        condition.parameters, sums=("n",))  # fmt: skip
    return int(answers.ask(question).column("n")[0].as_py())


def read_page(answers: Answers, search: Search, shown: Shown) -> list[dict[str, Any]]:
    """Reads the page of a search.

    Returns:
        One dict per row, with the keys of COLUMNS that the table has.

    Raises:
        UnreadableTablesError: A table cannot be read.
    """
    limit = min(PAGE_ROWS, MAX_ROWS - (search.page - 1) * PAGE_ROWS)
    versions = {PREDICTIONS: TableVersion(shown.table_id, shown.commit)}
    rows = _read(answers, search, f"limit {limit} offset {(search.page - 1) * PAGE_ROWS}", versions)
    found: list[dict[str, Any]] = rows.to_pylist()
    return found


def read_export(answers: Answers, search: Search) -> pa.Table:
    """Reads the first MAX_ROWS predictions that a search finds, in its order, with the columns of COLUMNS.

    Raises:
        UnreadableTablesError: A table cannot be read.
    """
    return _read(answers, search, f"limit {MAX_ROWS}", None)


def on_a_page(search: Search, count: int) -> Search:
    """Returns the search on its page, or on the last page if there are fewer."""
    return replace(search, page=min(search.page, page_count(count)))


def page_count(count: int) -> int:
    """Returns how many pages there are for a number of rows; at least one."""
    return max(1, -(-min(count, MAX_ROWS) // PAGE_ROWS))


def columns_of(answers: Answers) -> list[str]:
    """Returns the keys of COLUMNS that the table of predictions has."""
    present = answers.ask(Question(f"select * from {PREDICTIONS} limit 0", (PREDICTIONS,))).column_names
    return [name for name in COLUMNS if name in present]


def _read(answers: Answers, search: Search, limit: str, versions: Mapping[Table, TableVersion] | None) -> pa.Table:
    condition, tables = _where(answers, search)
    columns = columns_of(answers)
    column, direction = search.sort.removeprefix("-"), "desc" if search.sort.startswith("-") else "asc"
    # Nothing is sorted by a column that a table of a former release lacks.
    first = [f"{column} {direction} nulls last"] if column in columns else []
    order = ", ".join([*first, *(name for name in _TIE_BREAKERS if name != column)])
    sql = f"select {', '.join(columns)} from {PREDICTIONS} where {condition.sql} order by {order} {limit}"
    return answers.query(sql, tables, dict(condition.parameters), versions)


def _where(answers: Answers, search: Search) -> tuple[Condition, tuple[Table, ...]]:
    """The condition that a search finds a row of `gold.predictions`, and the tables that it reads."""
    condition = matching_predictions(search.filters)
    if search.complaint_id is not None:
        condition &= Condition("complaint_id = :complaint_id", (("complaint_id", search.complaint_id),))
    if (search.lowest, search.highest) != (0, 1):
        condition &= Condition(
            "probability >= :lowest and probability <= :highest",
            (("lowest", search.lowest), ("highest", search.highest)),
        )
    of_complaint = condition_on_complaints(answers, search)
    return condition & of_complaint.condition, (PREDICTIONS, *of_complaint.tables)
