"""Gathers the facts for alerts, by SQL that DataFusion, Spark and Databricks accept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import pyarrow as pa

from solosolve.alerts.facts import ChampionState, Facts, FailedRun, SetAside, StreamFacts
from solosolve.alerts.history import AlertRow
from solosolve.errors import MissingTableError, NoChampionError
from solosolve.loop_settings import LoopSettings
from solosolve.names import (
    ALERTS,
    COMPLAINTS,
    DEAD_LETTERS,
    DELTA_SOURCE,
    DRIFT_METRICS,
    IS_TO_BE_SCORED,
    MODEL_EVENTS,
    MODEL_METRICS,
    MODEL_PERFORMANCE,
    PREDICTIONS,
    QUARANTINE,
    REPLAY_SOURCE,
    REQUESTS,
    STREAM_PROGRESS,
    TEST,
    Table,
)
from solosolve.storage.champions import CHAMPION_EVENTS_SQL, CurrentChampion
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.reader import Value

_VALIDATIONS = ", ".join(f"'{event}'" for event in ModelEvent if event.startswith("validation_"))


class Ask(Protocol):
    """Answers one statement over tables."""

    def __call__(self, sql: str, tables: tuple[Table, ...], values: Mapping[str, Value]) -> pa.Table:
        """Returns all rows, with instants in UTC.

        Args:
            sql: The statement; a table is `<layer>.<table>`, a parameter `:name`.
            tables: The tables that it names.
            values: A value for each parameter.

        Raises:
            MissingTableError: A table does not exist.
        """
        ...


def gather_facts(ask: Ask, limits: LoopSettings, failed_runs: tuple[FailedRun, ...], at: datetime) -> Facts:
    """Gathers what alerts are judged by; what no table has is unknown.

    Args:
        ask: Asks the tables.
        limits: How long to look back; `alert_hours` counts whole hours, so that the questions change only hourly.
        failed_runs: The jobs whose newest run failed.
        at: The present instant.
    """
    tables = _Tables(ask)
    since = (at - timedelta(hours=limits.alert_hours)).replace(minute=0, second=0, microsecond=0)
    return Facts(
        at=at,
        has_complaints=tables.has(COMPLAINTS),
        champion=_champion(tables),
        streams=_streams(tables, at - timedelta(minutes=limits.alert_stream_minutes)),
        dead_letters=_dead_letters(tables, since),
        quarantined=_set_aside(tables.rows(_QUARANTINED, QUARANTINE, since=since)),
        failed_runs=failed_runs,
    )


def recorded_alerts(ask: Ask) -> tuple[AlertRow, ...]:
    """The rows of `gold.alerts`, the oldest first."""
    found = _Tables(ask).rows(f"select * from {ALERTS} order by opened_at, alert", ALERTS)
    return tuple(AlertRow(**row) for row in found)


@dataclass(frozen=True)
class _Tables:
    """The tables, of which any may be missing."""

    ask: Ask

    def rows(self, sql: str, *tables: Table, **values: Value) -> list[dict[str, Any]]:
        """The rows; none if a table does not exist."""
        try:
            return self.ask(sql, tables, values).to_pylist()
        except MissingTableError:
            return []

    def columns(self, table: Table) -> list[str]:
        """The names of its columns; none if it does not exist."""
        try:
            return self.ask(f"select * from {table} limit 0", (table,), {}).column_names
        except MissingTableError:
            return []

    def has(self, table: Table) -> bool:
        """Whether a table has rows."""
        return bool(self.rows(f"select 1 as one from {table} limit 1", table))


_QUARANTINED = (
    f"select _reason as reason, count(*) as n, min(_ingested_at) as first_at from {QUARANTINE} "
    "where _ingested_at >= :since group by 1"
)
_DEAD = f"select reason, count(*) as n, min(failed_at) as first_at from {DEAD_LETTERS}"
_REPLAYED = (
    f"left join (select source_position from {PREDICTIONS} where source = '{REPLAY_SOURCE}' and scored_at >= :since) "
    "as replayed on letter_id = replayed.source_position"
)


def _dead_letters(tables: _Tables, since: datetime) -> SetAside | None:
    if tables.has(PREDICTIONS):
        sql = f"{_DEAD} {_REPLAYED} where failed_at >= :since and replayed.source_position is null group by 1"
        return _set_aside(tables.rows(sql, DEAD_LETTERS, PREDICTIONS, since=since))
    return _set_aside(tables.rows(f"{_DEAD} where failed_at >= :since group by 1", DEAD_LETTERS, since=since))


def _set_aside(rows: list[dict[str, Any]]) -> SetAside | None:
    """Sums rows of `reason`, `n` and `first_at`."""
    if not rows:
        return None
    # Of equally frequent reasons, always the same one.
    often = min(rows, key=lambda row: (-row["n"], row["reason"]))
    first_at = min(row["first_at"] for row in rows)
    return SetAside(sum(row["n"] for row in rows), first_at, often["reason"], often["n"])


_NEWEST_BATCHES = (
    "select source, ended_at, lag from (select source, ended_at, lag, row_number() over "
    f"(partition by source order by ended_at desc, batch_id desc) as place from {STREAM_PROGRESS}) as batches "
    "where place = 1 order by source"
)


def _streams(tables: _Tables, stale_before: datetime) -> tuple[StreamFacts, ...]:
    """The streams; what waits for one that has just finished a batch is not counted."""
    newest = {row["source"]: row for row in tables.rows(_NEWEST_BATCHES, STREAM_PROGRESS)}
    found = []
    for source in sorted({*newest, DELTA_SOURCE}):
        row = newest.get(source)
        last, lag = (row["ended_at"], row["lag"] or 0) if row else (None, 0)
        stream = StreamFacts(source, last, lag, last if lag else None)
        if source == DELTA_SOURCE and (last is None or last < stale_before):
            stream = _delta_stream(tables, stream)
        found.append(stream)
    return tuple(found)


_OLDEST = "select count(*) as n, min(asked.requested_at) as oldest_at from"
# A sender whose clock is ahead gives a request that was answered a later time than the batch that answered it.
_UNANSWERED = (
    f"left join (select complaint_id, requested_at from {PREDICTIONS} where requested_at > :last) as answered "
    "on asked.complaint_id = answered.complaint_id and asked.requested_at = answered.requested_at "
    "where asked.requested_at > :last and answered.complaint_id is null"
)


def _delta_stream(tables: _Tables, stream: StreamFacts) -> StreamFacts:
    """The Delta stream with the requests that have come since its last batch."""
    last = stream.last_batch_at or _last_answer(tables)
    waiting = f"{_OLDEST} {_requests_to_score(tables)} as asked"
    if last is None:
        rows = tables.rows(waiting, REQUESTS)
    elif tables.has(PREDICTIONS):
        rows = tables.rows(f"{waiting} {_UNANSWERED}", REQUESTS, PREDICTIONS, last=last)
    else:
        rows = tables.rows(f"{waiting} where asked.requested_at > :last", REQUESTS, last=last)
    new, oldest = (rows[0]["n"], rows[0]["oldest_at"]) if rows else (0, None)
    return StreamFacts(stream.source, last, stream.waiting + new, stream.waiting_since or oldest)


def _requests_to_score(tables: _Tables) -> str:
    """The requests of the Delta stream: without those that another stream has scored and only keeps here."""
    is_kept_here = "source" in tables.columns(REQUESTS)
    return f"(select * from {REQUESTS} where {IS_TO_BE_SCORED})" if is_kept_here else str(REQUESTS)


def _last_answer(tables: _Tables) -> datetime | None:
    """When the Delta stream last answered a request, for one whose progress has been deleted since."""
    statements = (
        (f"select max(scored_at) as at from {PREDICTIONS} where source = '{DELTA_SOURCE}'", PREDICTIONS),
        (f"select max(failed_at) as at from {DEAD_LETTERS} where topic = '{REQUESTS}'", DEAD_LETTERS),
    )
    found = [row["at"] for sql, table in statements for row in tables.rows(sql, table)]
    return max((at for at in found if at is not None), default=None)


def _champion(tables: _Tables) -> ChampionState | None:
    try:
        events = tables.ask(CHAMPION_EVENTS_SQL, (MODEL_EVENTS,), {})
        champion = CurrentChampion.from_events(events)
    except (MissingTableError, NoChampionError):
        return None
    version, promoted_at = champion.version, events["event_at"][0].as_py()
    drift = tables.rows(_in_newest_window("feature, is_alarm", DRIFT_METRICS), DRIFT_METRICS, version=version)
    performance = tables.rows(_NEWEST_AUC, MODEL_PERFORMANCE, version=version)
    expected = tables.rows(_TEST_AUC, MODEL_METRICS, version=version)
    contradicted_at, surprise = _contradiction(tables, promoted_at)
    return ChampionState(
        version=version,
        promoted_at=promoted_at,
        is_provisional=champion.is_provisional,
        drifted=tuple(sorted(row["feature"] for row in drift if row["is_alarm"])),
        drift_until=next((row["window_end"] for row in drift), None),
        auc_expected=next((row["value"] for row in expected), None),
        auc_high=next((row["value_high"] for row in performance), None),
        labels_until=next((row["window_end"] for row in performance), None),
        contradicted_at=contradicted_at,
        surprise=surprise,
    )


def _in_newest_window(columns: str, table: Table, condition: str = "true") -> str:
    windows = f"select *, max(window_end) over () as newest from {table} where model_version = :version"
    return f"select {columns}, window_end from ({windows}) as windows where window_end = newest and {condition}"


_NEWEST_AUC = _in_newest_window("value_high", MODEL_PERFORMANCE, "segment = 'all' and metric = 'auc'")
_TEST_AUC = (
    f"select value from {MODEL_METRICS} where model_version = :version and split = '{TEST}' and metric = 'auc' "
    "order by trained_at desc limit 1"
)
_NEWEST_VALIDATION = (
    f"select event_at, evidence from {MODEL_EVENTS} where event in ({_VALIDATIONS}) and event_at > :since "
    "order by event_at desc limit 1"
)


def _contradiction(tables: _Tables, promoted_at: datetime) -> tuple[datetime | None, float]:
    """When the gate last found that labels contradict the champion, and by how many standard errors."""
    for row in tables.rows(_NEWEST_VALIDATION, MODEL_EVENTS, since=promoted_at):
        for check in json.loads(row["evidence"]).get("checks", []):
            if check["name"] == "labels_as_expected" and not check["is_passed"]:
                return row["event_at"], float(check["found"])
    return None, 0.0
