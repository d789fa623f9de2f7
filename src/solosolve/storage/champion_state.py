"""Gathers what is known of the champion, by SQL that DataFusion, Spark and Databricks accept."""

from __future__ import annotations

import json
from datetime import datetime

from solosolve.alerts.facts import ChampionState
from solosolve.errors import MissingTableError, NoChampionError
from solosolve.names import DRIFT_METRICS, MODEL_EVENTS, MODEL_METRICS, MODEL_PERFORMANCE, TEST
from solosolve.storage.asked_tables import AskedTables
from solosolve.storage.champions import CHAMPION_EVENTS_SQL, CurrentChampion
from solosolve.storage.model_events import ModelEvent

_VALIDATIONS = ", ".join(f"'{event}'" for event in ModelEvent if event.startswith("validation_"))
_NEWEST_DRIFT = (
    "select feature, is_alarm, window_end from "
    "(select *, max(case when state <> 'too_few' then window_end end) over () as newest "
    f"from {DRIFT_METRICS} where model_version = :version) as windows where window_end = newest"
)
_NEWEST_AUC = (
    f"select value_high, window_end from {MODEL_PERFORMANCE} where model_version = :version and segment = 'all' "
    "and metric = 'auc' and value_high is not null order by window_end desc limit 1"
)
_TEST_AUC = (
    f"select value from {MODEL_METRICS} where model_version = :version and split = '{TEST}' and metric = 'auc' "
    "order by trained_at desc limit 1"
)
_NEWEST_VALIDATION = (
    f"select event_at, evidence from {MODEL_EVENTS} where event in ({_VALIDATIONS}) and event_at > :since "
    "order by event_at desc limit 1"
)


def champion_state(tables: AskedTables) -> ChampionState | None:
    """What is known of the champion; None if there is none.

    It is judged by the newest windows that could be measured: those with too few complaints or labels say nothing.
    """
    try:
        events = tables.ask(CHAMPION_EVENTS_SQL, (MODEL_EVENTS,), {})
        champion = CurrentChampion.from_events(events)
    except (MissingTableError, NoChampionError):
        return None
    version, promoted_at = champion.version, events["event_at"][0].as_py()
    drift = tables.rows(_NEWEST_DRIFT, DRIFT_METRICS, version=version)
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


def _contradiction(tables: AskedTables, promoted_at: datetime) -> tuple[datetime | None, float]:
    """When the gate last found that labels contradict the champion, and by how many standard errors."""
    for row in tables.rows(_NEWEST_VALIDATION, MODEL_EVENTS, since=promoted_at):
        for check in json.loads(row["evidence"]).get("checks", []):
            if check["name"] == "labels_as_expected" and not check["is_passed"]:
                return row["event_at"], float(check["found"])
    return None, 0.0
