"""Gathers the facts for alerts, by SQL that DataFusion, Spark and Databricks accept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from solosolve.alerts.facts import Facts, FailedRun, SetAside, StreamFacts
from solosolve.alerts.history import AlertRow
from solosolve.loop_settings import LoopSettings
from solosolve.names import (
    ALERTS,
    COMPLAINTS,
    DEAD_LETTERS,
    DELTA_SOURCE,
    IS_FEEDBACK_LETTER,
    PREDICTIONS,
    QUARANTINE,
    REPLAY_SOURCE,
    REQUESTS,
    STREAM_PROGRESS,
    Table,
)
from solosolve.storage.asked_tables import Ask, AskedTables
from solosolve.storage.champion_state import champion_state
from solosolve.storage.scoring_requests import requests_to_score


def gather_facts(ask: Ask, limits: LoopSettings, failed_runs: tuple[FailedRun, ...], at: datetime) -> Facts:
    """Gathers what alerts are judged by; what no table has is unknown.

    Args:
        ask: Asks the tables.
        limits: How long to look back; `alert_hours` counts whole hours, so that the questions change only hourly.
        failed_runs: The jobs whose newest run failed.
        at: The present instant.
    """
    tables = AskedTables(ask)
    since = (at - timedelta(hours=limits.alert_hours)).replace(minute=0, second=0, microsecond=0)
    return Facts(
        at=at,
        has_complaints=tables.has(COMPLAINTS),
        champion=champion_state(tables),
        streams=_streams(tables, at - timedelta(minutes=limits.alert_stream_minutes)),
        dead_letters=_dead_letters(tables, since),
        refused_feedback=_counted(tables, _REFUSED_FEEDBACK, DEAD_LETTERS, since),
        quarantined=_counted(tables, _QUARANTINED, QUARANTINE, since),
        failed_runs=failed_runs,
    )


def recorded_alerts(ask: Ask) -> tuple[AlertRow, ...]:
    """The rows of `gold.alerts`, the oldest first."""
    found = AskedTables(ask).rows(f"select * from {ALERTS} order by opened_at, alert", ALERTS)
    return tuple(AlertRow(**row) for row in found)


_QUARANTINED = (
    f"select _reason as reason, count(*) as n, min(_ingested_at) as first_at from {QUARANTINE} "
    "where _ingested_at >= :since group by 1"
)
_LETTERS = f"select reason, count(*) as n, min(failed_at) as first_at from {DEAD_LETTERS}"
_REFUSED_FEEDBACK = f"{_LETTERS} where failed_at >= :since and {IS_FEEDBACK_LETTER} group by 1"
_OF_REQUESTS = f"where failed_at >= :since and not {IS_FEEDBACK_LETTER}"
_REPLAYED = (
    f"left join (select source_position from {PREDICTIONS} where source = '{REPLAY_SOURCE}' and scored_at >= :since) "
    "as replayed on letter_id = replayed.source_position"
)


def _dead_letters(tables: AskedTables, since: datetime) -> SetAside | None:
    """The letters that a replay can clear: of requests, without those that have been replayed."""
    if tables.has(PREDICTIONS):
        sql = f"{_LETTERS} {_REPLAYED} {_OF_REQUESTS} and replayed.source_position is null group by 1"
        return _set_aside(tables.rows(sql, DEAD_LETTERS, PREDICTIONS, since=since))
    return _counted(tables, f"{_LETTERS} {_OF_REQUESTS} group by 1", DEAD_LETTERS, since)


def _counted(tables: AskedTables, sql: str, table: Table, since: datetime) -> SetAside | None:
    """What one table has of `reason`, `n` and `first_at`."""
    return _set_aside(tables.rows(sql, table, sums=("n",), lowest=("first_at",), since=since))


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


def _streams(tables: AskedTables, stale_before: datetime) -> tuple[StreamFacts, ...]:
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


def _delta_stream(tables: AskedTables, stream: StreamFacts) -> StreamFacts:
    """The Delta stream with the requests that have come since its last batch."""
    last = stream.last_batch_at or _last_answer(tables)
    waiting = f"{_OLDEST} {requests_to_score(tables.columns(REQUESTS))} as asked"
    if last is None:
        rows = tables.rows(waiting, REQUESTS, sums=("n",), lowest=("oldest_at",))
    elif tables.has(PREDICTIONS):
        rows = tables.rows(f"{waiting} {_UNANSWERED}", REQUESTS, PREDICTIONS, last=last)
    else:
        rows = tables.rows(
            f"{waiting} where asked.requested_at > :last", REQUESTS, sums=("n",), lowest=("oldest_at",), last=last
        )
    new, oldest = (rows[0]["n"], rows[0]["oldest_at"]) if rows else (0, None)
    return StreamFacts(stream.source, last, stream.waiting + new, stream.waiting_since or oldest)


def _last_answer(tables: AskedTables) -> datetime | None:
    """When the Delta stream last answered a request, for one whose progress has been deleted since."""
    asked = (
        (f"select max(scored_at) as at from {PREDICTIONS} where source = :source", PREDICTIONS, DELTA_SOURCE),
        (f"select max(failed_at) as at from {DEAD_LETTERS} where topic = :source", DEAD_LETTERS, str(REQUESTS)),
    )
    found = [
        row["at"] for sql, table, source in asked for row in tables.rows(sql, table, highest=("at",), source=source)
    ]
    return max((at for at in found if at is not None), default=None)
