"""The project's text rules, label and scope, on Arrow columns.

`landing.normalise` states the rules for one text; here they are applied to whole columns, each distinct text once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from solosolve.landing.normalise import (
    COMPLAINT_ID_DIGITS,
    EARLIEST_DATE,
    MAX_DAYS_AHEAD,
    WHITE_SPACE,
    known,
    parse_complaint_id,
    parse_published_date,
    restored_zip_code,
)
from solosolve.names import COMPLAINT_COLUMNS, NARRATIVE

SUCCESSFUL_RESPONSES = ("Closed with explanation", "Closed with monetary relief", "Closed with non-monetary relief")

_EARLIEST = date.fromisoformat(EARLIEST_DATE)
_LONG_BYTES = 100
"""A text with more bytes than this is none of those that stand for an unknown value."""
_VISIBLE = f"[^{WHITE_SPACE}]"
_PLAIN_ID = f"^[1-9][0-9]{{0,{COMPLAINT_ID_DIGITS - 1}}}$"


@dataclass(frozen=True)
class Typed:
    """Bronze records and what the rules read them as.

    Attributes:
        records: Columns of `bronze.complaints`, verbatim.
    """

    records: pa.RecordBatch

    @cached_property
    def columns(self) -> dict[str, pa.Array]:
        """The complaint columns of `silver.complaints`: dates as date32, the id as int64, the narrative verbatim."""
        typed: dict[str, Callable[[pa.Array], pa.Array]] = {
            "date_received": published_dates,
            "date_sent_to_company": published_dates,
            "complaint_id": complaint_ids,
            "zip_code": zip_codes,
            NARRATIVE: lambda values: values,
        }
        return {name: typed.get(name, known_texts)(self.records.column(name)) for name in COMPLAINT_COLUMNS}


def known_texts(texts: pa.Array) -> pa.Array:
    """The trimmed texts; null where they are blank or another of MISSING."""
    return _each_distinct(texts, known, pa.string())


def published_dates(texts: pa.Array) -> pa.Array:
    """The calendar dates; null where a text is not a date in one of the published spellings."""
    return _each_distinct(texts, parse_published_date, pa.date32())


def complaint_ids(texts: pa.Array) -> pa.Array:
    """The complaint ids as int64; null unless a text is a positive whole number."""
    # Ids hardly repeat, and nearly all are plain numbers, which need no rule.
    is_plain = pc.fill_null(pc.match_substring_regex(texts, _PLAIN_ID), False)
    if pc.all(is_plain).as_py():
        return texts.cast(pa.int64())
    return _each_distinct(texts, parse_complaint_id, pa.int64())


def zip_codes(texts: pa.Array) -> pa.Array:
    """The trimmed ZIP codes with the leading zeros that spreadsheets remove; null where they are unknown."""
    return _each_distinct(texts, restored_zip_code, pa.string())


def are_known(texts: pa.Array) -> pa.Array:
    """Whether each text is known, without a copy of long ones."""
    is_long = pc.fill_null(pc.greater(pc.binary_length(texts), _LONG_BYTES), False)
    short = known_texts(pc.if_else(is_long, None, texts))
    is_visible = pc.fill_null(pc.match_substring_regex(pc.if_else(is_long, texts, ""), _VISIBLE), False)
    return pc.or_(pc.is_valid(short), is_visible)


def success_labels(response: pa.Array, timely: pa.Array, disputed: pa.Array) -> pa.Array:
    """The labels of typed complaints: 1.0, 0.0, or null where the outcome was not observed.

    Successful means not disputed, answered in time, and closed with an explanation or relief. The label is null while
    the case is in progress and where one of the three columns is unknown: since April 2017 the Bureau no longer asks
    whether the consumer disputes the response.

    Args:
        response: `company_response_to_consumer`, known or null.
        timely: `timely_response`, known or null.
        disputed: `consumer_disputed`, known or null.
    """
    is_answered = pc.and_(pc.is_valid(response), pc.fill_null(pc.not_equal(response, "In progress"), False))
    is_observed = pc.and_(_is_yes_or_no(timely), pc.and_(_is_yes_or_no(disputed), is_answered))
    is_undisputed_in_time = pc.and_(pc.equal(disputed, "No"), pc.equal(timely, "Yes"))
    is_success = pc.and_(is_undisputed_in_time, pc.is_in(response, pa.array(SUCCESSFUL_RESPONSES)))
    return pc.if_else(is_observed, is_success.cast(pa.float64()), None)


def has_valid_complaint_id(typed: Typed) -> pa.Array:
    """The id is a positive whole number."""
    return pc.is_valid(typed.columns["complaint_id"])


def has_valid_date_received(typed: Typed) -> pa.Array:
    """The date is readable, not before the Bureau opened, and at most MAX_DAYS_AHEAD after the landing (in UTC)."""
    received = typed.columns["date_received"]
    latest = _each_distinct(typed.records.column("_ingested_at"), _latest_date, pa.date32())
    is_within = pc.and_(pc.greater_equal(received, _EARLIEST), pc.less_equal(received, latest))
    return pc.fill_null(is_within, False)


def has_readable_date_sent(typed: Typed) -> pa.Array:
    """The date sent to the company is readable or unknown."""
    is_unknown = pc.is_null(known_texts(typed.records.column("date_sent_to_company")))
    return pc.or_(is_unknown, pc.is_valid(typed.columns["date_sent_to_company"]))


def has_narrative(typed: Typed) -> pa.Array:
    """The complaint has a known narrative."""
    return are_known(typed.records.column(NARRATIVE))


def _has(column: str) -> Callable[[Typed], pa.Array]:
    def rule(typed: Typed) -> pa.Array:
        return pc.is_valid(typed.columns[column])

    rule.__doc__ = f"The complaint has a known {column}."
    return rule


SCOPE_RULES: Mapping[str, Callable[[Typed], pa.Array]] = MappingProxyType(
    {
        "has_valid_complaint_id": has_valid_complaint_id,
        "has_valid_date_received": has_valid_date_received,
        "has_readable_date_sent": has_readable_date_sent,
        "has_narrative": has_narrative,
        "has_product": _has("product"),
        "has_company": _has("company"),
        "has_state": _has("state"),
        "has_submitted_via": _has("submitted_via"),
    }
)
"""Rule name to a condition on records, true or false for each; a complaint is in scope if all hold."""


def _latest_date(ingested_at: datetime) -> date:
    return ingested_at.date() + timedelta(days=MAX_DAYS_AHEAD)


def _is_yes_or_no(answers: pa.Array) -> pa.Array:
    return pc.is_in(answers, pa.array(["Yes", "No"]))


def _each_distinct(values: pa.Array, rule: Callable[[Any], object], kind: pa.DataType) -> pa.Array:
    """Applies a rule to each distinct value; null stays null."""
    coded = values.dictionary_encode()
    return pa.array([rule(value) for value in coded.dictionary.to_pylist()], kind).take(coded.indices)
