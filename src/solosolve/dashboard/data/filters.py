"""The filters of a page, as its address holds them: two periods, product, company, state and model version."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from urllib.parse import parse_qs

from solosolve.dashboard.data.query_string import query_string
from solosolve.errors import UsageError
from solosolve.storage.reader import Value

SEGMENT_COLUMNS = ("product", "company", "state")

FILTER_NAMES = ("from", "to", "received-from", "received-to", *SEGMENT_COLUMNS, "model")
"""The names of the filters in an address; every room keeps them."""

SPANS = {"15m": timedelta(minutes=15), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
"""The spans that Today can show, by their names in an address."""

DEFAULT_SPAN = "24h"

_MAX_VALUES = 50
_MAX_VALUE_LENGTH = 200
_MAX_SEARCH_LENGTH = 20_000
_MAX_VERSION = 2**31 - 1
_MAX_SHOWN_LENGTH = 40
_SURROGATE = re.compile("[\ud800-\udfff]")
_YEARS = range(1970, 2200)


@dataclass(frozen=True)
class Condition:
    """A SQL condition and the values of its parameters."""

    sql: str = "true"
    parameters: tuple[tuple[str, Value], ...] = ()

    def __and__(self, other: Condition) -> Condition:
        return Condition(f"{self.sql} and {other.sql}", self.parameters + other.parameters)


@dataclass(frozen=True)
class Filters:
    """What a page shows; an empty filter lets everything through.

    Attributes:
        first_day: The first day on which a prediction was made, or something else happened, in UTC.
        last_day: The last such day, in UTC and included.
        product: Any of these products.
        company: Any of these companies.
        state: Any of these states.
        model_version: Predictions of this version.
        first_received: The first day on which a complaint was received.
        last_received: The last such day, included.
        since: The span that Today shows, a key of SPANS. It is read from the address, but `to_search` leaves it out: no
            other room has it.
    """

    first_day: date | None = None
    last_day: date | None = None
    product: tuple[str, ...] = ()
    company: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    model_version: int | None = None
    first_received: date | None = None
    last_received: date | None = None
    since: str = DEFAULT_SPAN

    @classmethod
    def parse(cls, search: object) -> Self:
        """Reads the query string of an address, and ignores names that are not filters.

        Raises:
            UsageError: A value is not one that the filter can have.
        """
        if search is not None and not isinstance(search, str):
            raise UsageError("the address must be text")
        if search and len(search) > _MAX_SEARCH_LENGTH:
            raise UsageError(
                f"the address has {len(search):,} characters of filters; at most {_MAX_SEARCH_LENGTH:,} are allowed"
            )
        found = parse_qs((search or "").removeprefix("?"))
        filters = cls(
            first_day=_parse_day("from", found),
            last_day=_parse_day("to", found),
            product=_parse_texts("product", found),
            company=_parse_texts("company", found),
            state=_parse_texts("state", found),
            model_version=_parse_version(found),
            first_received=_parse_day("received-from", found),
            last_received=_parse_day("received-to", found),
            since=_parse_span(found),
        )
        for first, last in ((filters.first_day, filters.last_day), (filters.first_received, filters.last_received)):
            if first and last and first > last:
                raise UsageError(f"to is before from: {last} is earlier than {first}")
        return filters

    def to_search(self) -> str:
        """Writes the query string that `parse` reads; empty if no filter is set."""
        days = (self.first_day, self.last_day, self.first_received, self.last_received)
        pairs = [(name, day.isoformat()) for name, day in zip(FILTER_NAMES, days, strict=False) if day]
        pairs += [(name, value) for name in SEGMENT_COLUMNS for value in getattr(self, name)]
        if self.model_version is not None:
            pairs.append(("model", str(self.model_version)))
        return query_string(pairs)

    @property
    def is_empty(self) -> bool:
        """Whether everything is let through, whatever span Today shows."""
        return not self.to_search()

    @property
    def has_segment(self) -> bool:
        """Whether products, companies, states or days of receipt are selected."""
        return any(getattr(self, name) for name in (*SEGMENT_COLUMNS, "first_received", "last_received"))

    def without_segment(self) -> Self:
        """Returns the same period and model version for all complaints."""
        return replace(self, product=(), company=(), state=(), first_received=None, last_received=None)

    def in_period(self, column: str) -> Condition:
        """Returns the condition that a timestamp column lies in the period."""
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
        """Returns the condition that `product`, `company` and `state` are among the selected values."""
        condition = Condition()
        for column in SEGMENT_COLUMNS:
            selected: tuple[str, ...] = getattr(self, column)
            if selected:
                names = [f"{column}_{number}" for number in range(len(selected))]
                sql = f"{column} in ({', '.join(f':{name}' for name in names)})"
                condition &= Condition(sql, tuple(zip(names, selected, strict=True)))
        return condition

    def when_received(self) -> Condition:
        """Returns the condition that `date_received` lies in the period of receipt."""
        condition = Condition()
        if self.first_received:
            condition &= Condition(
                "date_received >= cast(:received_start as date)", (("received_start", self.first_received.isoformat()),)
            )
        if self.last_received:
            condition &= Condition(
                "date_received <= cast(:received_end as date)", (("received_end", self.last_received.isoformat()),)
            )
        return condition

    def of_model(self) -> Condition:
        """Returns the condition that `model_version` is the selected one."""
        if self.model_version is None:
            return Condition()
        return Condition("model_version = :model_version", (("model_version", self.model_version),))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _parse_day(name: str, found: dict[str, list[str]]) -> date | None:
    text = found.get(name, [""])[-1]
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        shown = text[:_MAX_SHOWN_LENGTH]
        raise UsageError(f"{name}: expected a date such as 2026-01-31, found {shown!r}") from None
    if day.year not in _YEARS:
        raise UsageError(f"{name}: expected a year from {_YEARS.start} to {_YEARS.stop - 1}, found {day.year}")
    return day


def _parse_texts(name: str, found: dict[str, list[str]]) -> tuple[str, ...]:
    values = sorted({value for value in found.get(name, []) if value})
    if len(values) > _MAX_VALUES:
        raise UsageError(f"{name}: {len(values)} values are selected; at most {_MAX_VALUES} are allowed")
    if any(len(value) > _MAX_VALUE_LENGTH for value in values):
        raise UsageError(f"{name}: a value has more than {_MAX_VALUE_LENGTH} characters")
    if any(_SURROGATE.search(value) for value in values):
        raise UsageError(f"{name}: a value has a character that is not valid Unicode")
    return tuple(values)


def _parse_span(found: dict[str, list[str]]) -> str:
    text = found.get("since", [DEFAULT_SPAN])[-1]
    if text not in SPANS:
        raise UsageError(f"since: expected one of {', '.join(SPANS)}, found {text[:_MAX_SHOWN_LENGTH]!r}")
    return text


def _parse_version(found: dict[str, list[str]]) -> int | None:
    text = found.get("model", [""])[-1]
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 11 and 0 < int(text) <= _MAX_VERSION):
        raise UsageError(f"model: expected a model version such as 2, found {text[:_MAX_SHOWN_LENGTH]!r}")
    return int(text)
