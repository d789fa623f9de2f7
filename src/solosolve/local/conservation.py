"""Checks that no row of the tables was lost or duplicated."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from solosolve.landing.normalise import COMPLAINT_ID_PATTERN, WHITE_SPACE
from solosolve.names import (
    BATCH_SOURCE,
    DELTA_SOURCE,
    INVALID_KEY_PREFIX,
    PREDICTIONS,
    REQUESTS,
    SCORE_STREAM_PREFIX,
    Table,
)
from solosolve.storage.reader import Reader, named_tables
from solosolve.storage.scoring_requests import requests_to_score

_CODES = " || ".join(f"chr({ord(character)})" for character in WHITE_SPACE)
_ID = f"btrim(complaint_id, {_CODES})"
PARSED_COMPLAINT_ID = (
    f"case when regexp_like({_ID}, '^{COMPLAINT_ID_PATTERN}$') then nullif(cast({_ID} as bigint), 0) end"
)
"""The complaint id in SQL, as `landing.normalise.parse_complaint_id` reads it."""


@dataclass(frozen=True)
class Conservation:
    """One check that no row was lost or duplicated.

    Attributes:
        statement: The equation, in words.
        left: The count on its left.
        right: The count on its right.
        allowed: Why the right one may be smaller; empty if it may not.
    """

    statement: str
    left: int
    right: int
    allowed: str = ""

    @property
    def holds(self) -> bool:
        """Whether the counts are equal, or differ only as allowed."""
        return self.left == self.right or (bool(self.allowed) and self.right < self.left)


def conservation_checks(reader: Reader, existing: Set[Table], champion_version: int | None) -> list[Conservation]:
    """Counts both sides of every check that the existing tables allow.

    Args:
        reader: Reads the tables.
        existing: The tables that exist.
        champion_version: The champion's version; None if there is none.
    """

    def count(sql: str) -> int:
        return int(reader.query(sql).column(0)[0].as_py() or 0)

    checks = [
        ("records landed = bronze + quarantine", _LANDED, _STORED, ""),
        ("distinct complaints in bronze = silver + rejected", _DISTINCT, _REFINED, "deleted from silver"),
        ("complaints in silver = rows of features", _SILVER, "select count(*) from gold.complaint_features", ""),
    ]
    found = [
        Conservation(words, count(left), count(right), allowed)
        for words, left, right, allowed in checks
        if can_answer(left, existing) and can_answer(right, existing)
    ]
    if champion_version is not None and PREDICTIONS in existing:
        words = f"complaints in silver = complaints scored by version {champion_version}, each at most once by batch"
        found.append(Conservation(words, count(_SILVER), count(_SCORED_ONCE.format(version=champion_version))))
    if REQUESTS in existing and can_answer(_ANSWERED, existing):
        words = "requests in the table = their predictions + their dead letters"
        waiting = "are waiting for the stream, or are older than a stream started with starting=latest"
        answered = _ANSWERED.format(table_id=reader.table_id(REQUESTS))
        asked = requests_to_score(reader.query(f"select * from {REQUESTS} limit 0").column_names)
        requested = f"select count(*) from {asked} as asked"
        found.append(Conservation(words, count(requested), count(answered), waiting))
    return found


def can_answer(sql: str, existing: Set[Table]) -> bool:
    """Whether all tables that a statement names exist."""
    return set(named_tables(sql)) <= existing


_LANDED = "select sum(record_count) from bronze.landings"
_STORED = (
    "select sum(n) from (select count(*) as n from bronze.complaints "
    "union all select count(*) as n from bronze.complaints_quarantine)"
)
_DISTINCT = f"select count(distinct {PARSED_COMPLAINT_ID}) from bronze.complaints"
_SCORED_ONCE = (
    "select count(*) from (select p.complaint_id from gold.predictions p join silver.complaints s "
    "on p.complaint_id = s.complaint_id where p.model_version = {version} "
    f"group by p.complaint_id having count(*) filter (where p.source = '{BATCH_SOURCE}') <= 1)"
)
# Only answers from the periods in which the stream read this very table count, not a table it replaced.
_ANSWERED = f"""
with periods as (
    select source_id, bound_at, lead(bound_at) over (order by bound_at) as ended_at
    from bronze.checkpoints where stream = '{SCORE_STREAM_PREFIX}{DELTA_SOURCE}'
), answers as (
    select scored_at as answered_at from gold.predictions where source = '{DELTA_SOURCE}'
    union all
    select failed_at from bronze.dead_letters where topic = '{REQUESTS}'
)
select count(*) from answers join periods on answered_at >= bound_at and (ended_at is null or answered_at < ended_at)
where strpos(source_id, '{{table_id}}') > 0
"""
_SILVER = "select count(*) from silver.complaints"
_REFINED = (
    "select sum(n) from (select count(*) as n from silver.complaints "
    "union all select count(*) as n from silver.complaints_rejected "
    f"where not starts_with(_record_key, '{INVALID_KEY_PREFIX}'))"
)
