"""What a page is narrowed to: period, product, company, state and model version, as its address says."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from urllib.parse import parse_qs, urlencode

from solosolve.errors import UsageError
from solosolve.storage.reader import Value

SEGMENT_COLUMNS = ("product", "company", "state")

_MOST_VALUES = 50
_LONGEST_VALUE = 200
_LONGEST_SEARCH = 20_000
_LARGEST_VERSION = 2**31 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")
_YEARS = range(1970, 2200)


@dataclass(frozen=True)
class Condition:
    """A condition of a statement, and the values of its parameters."""

    sql: str = "true"
    parameters: tuple[tuple[str, Value], ...] = ()

    def __and__(self, other: Condition) -> Condition:
        return Condition(f"{self.sql} and {other.sql}", self.parameters + other.parameters)


@dataclass(frozen=True)
class Filters:
    """What is looked at; empty means all.

    Attributes:
        first_day: From this day on (UTC).
        last_day: Up to this day's end (UTC).
        product: Any of these products.
        company: Any of these companies.
        state: Any of these states.
        model_version: Predictions of this version.
    """

    first_day: date | None = None
    last_day: date | None = None
    product: tuple[str, ...] = ()
    company: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    model_version: int | None = None

    @classmethod
    def parse(cls, search: object) -> Self:
        """Reads an address's query string.

        Raises:
            UsageError: A value is not one that a filter can have; other names are left alone.
        """
        if search is not None and not isinstance(search, str):
            raise UsageError("the address is not text")
        if search and len(search) > _LONGEST_SEARCH:
            raise UsageError(f"the address is longer than {_LONGEST_SEARCH:,} characters")
        found = parse_qs((search or "").removeprefix("?"))
        filters = cls(
            first_day=_day("from", found),
            last_day=_day("to", found),
            product=_texts("product", found),
            company=_texts("company", found),
            state=_texts("state", found),
            model_version=_version(found),
        )
        if filters.first_day and filters.last_day and filters.first_day > filters.last_day:
            raise UsageError("from: a day behind the last one")
        return filters

    def to_search(self) -> str:
        """The query string that `parse` reads; empty where nothing is narrowed."""
        pairs: list[tuple[str, str]] = []
        if self.first_day:
            pairs.append(("from", self.first_day.isoformat()))
        if self.last_day:
            pairs.append(("to", self.last_day.isoformat()))
        pairs += [(name, value) for name in SEGMENT_COLUMNS for value in getattr(self, name)]
        if self.model_version is not None:
            pairs.append(("model", str(self.model_version)))
        return f"?{urlencode(pairs)}" if pairs else ""

    @property
    def has_segment(self) -> bool:
        """Whether products, companies or states are chosen."""
        return any(getattr(self, name) for name in SEGMENT_COLUMNS)

    def without_segment(self) -> Self:
        """The same period and model version, of all complaints."""
        return replace(self, product=(), company=(), state=())

    def in_period(self, column: str) -> Condition:
        """The condition that an instant lies in the period."""
        parts: list[str] = []
        parameters: list[tuple[str, Value]] = []
        if self.first_day:
            parts.append(f"{column} >= :period_start")
            parameters.append(("period_start", _midnight(self.first_day)))
        if self.last_day:
            parts.append(f"{column} < :period_end")
            parameters.append(("period_end", _midnight(self.last_day + timedelta(days=1))))
        return Condition(" and ".join(parts), tuple(parameters)) if parts else Condition()

    def in_segment(self) -> Condition:
        """The condition that `product`, `company` and `state` are among the chosen ones."""
        condition = Condition()
        for column in SEGMENT_COLUMNS:
            chosen: tuple[str, ...] = getattr(self, column)
            if chosen:
                names = [f"{column}_{number}" for number in range(len(chosen))]
                sql = f"{column} in ({', '.join(f':{name}' for name in names)})"
                condition &= Condition(sql, tuple(zip(names, chosen, strict=True)))
        return condition

    def of_model(self) -> Condition:
        """The condition that `model_version` is the chosen one."""
        if self.model_version is None:
            return Condition()
        return Condition("model_version = :model_version", (("model_version", self.model_version),))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _day(name: str, found: dict[str, list[str]]) -> date | None:
    text = found.get(name, [""])[-1]
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{name}: not a day such as 2026-01-31") from None
    if day.year not in _YEARS:
        raise UsageError(f"{name}: not a day of the years {_YEARS.start} to {_YEARS.stop - 1}")
    return day


def _texts(name: str, found: dict[str, list[str]]) -> tuple[str, ...]:
    values = sorted({value for value in found.get(name, []) if value})
    if len(values) > _MOST_VALUES:
        raise UsageError(f"{name}: {len(values)} values, at most {_MOST_VALUES} can be chosen")
    if any(len(value) > _LONGEST_VALUE for value in values):
        raise UsageError(f"{name}: a value is longer than {_LONGEST_VALUE} characters")
    if any(_SURROGATE.search(value) for value in values):
        raise UsageError(f"{name}: a value is no text")
    return tuple(values)


def _version(found: dict[str, list[str]]) -> int | None:
    text = found.get("model", [""])[-1]
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 11 and 0 < int(text) <= _LARGEST_VERSION):
        raise UsageError("model: not the number of a model version")
    return int(text)
