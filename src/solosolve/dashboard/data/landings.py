"""What has been landed, and how large the tables are."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from solosolve.dashboard.data.answers import Answers, Question, ask_where
from solosolve.dashboard.data.filters import Filters
from solosolve.errors import TableError
from solosolve.names import LANDINGS
from solosolve.storage.landed import Landed
from solosolve.storage.reader import TableSize

SHOWN_LANDINGS = 200
"""How many landings `landed_files` returns, the newest ones."""


@dataclass(frozen=True)
class LandedTotals:
    """All landings of a period together."""

    landing_count: int
    record_count: int
    bronze_count: int
    quarantine_count: int


def landings(filters: Filters) -> Question:
    """Asks for the newest landings of the period, newest first."""
    columns = ", ".join(Landed.__dataclass_fields__)
    rest = f"order by landed_at desc, source_file, source_sha256 limit {SHOWN_LANDINGS}"
    return ask_where(columns, LANDINGS, filters.in_period("landed_at"), rest)


def landing_totals(filters: Filters) -> Question:
    """Asks for the number of landings in the period, and their records."""
    counts = ("record_count", "bronze_count", "quarantine_count")
    # Before the first landing, sums are null.
    select = ", ".join(["count(*) as landing_count", *(f"coalesce(sum({name}), 0) as {name}" for name in counts)])
    return ask_where(select, LANDINGS, filters.in_period("landed_at"), sums=("landing_count", *counts))


def landed_files(answers: Answers, filters: Filters) -> list[Landed]:
    """Returns the newest landings of the period, newest first.

    Raises:
        NotYetError: `bronze.landings` does not exist.
    """
    return [Landed(**row) for row in answers.ask(landings(filters)).to_pylist()]


def landed_totals(answers: Answers, filters: Filters) -> LandedTotals:
    """Returns how much was landed in the period.

    Raises:
        NotYetError: `bronze.landings` does not exist.
    """
    return LandedTotals(**answers.ask(landing_totals(filters)).to_pylist()[0])


def table_sizes(answers: Answers) -> list[TableSize]:
    """Returns the size of each table that can be read, by layer and name; each table's log is read once per commit."""
    found = []
    for table in answers.reader.tables():
        with suppress(TableError):
            found.append(answers.reader.size(table))
    return found
