"""What the tables say of a replayed month, next to what is true of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
import pyarrow as pa

from solosolve.model.metrics import Floats, measure
from solosolve.model.scorer import ComplaintScorer, as_raw_complaints
from solosolve.names import COMPLAINTS, DRIFT_METRICS, FILED_COLUMNS, MODEL_EVENTS, PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.model_events import ModelEvent

_PROMOTIONS = (ModelEvent.PROMOTED, ModelEvent.PROMOTED_PROVISIONAL, ModelEvent.PROMOTED_BY_HAND)
_FIRST_PREDICTIONS = f"""
select complaint_id, probability from (
    select complaint_id, probability, row_number() over (partition by complaint_id order by scored_at) as place
    from {PREDICTIONS} where complaint_id between :low and :high
) as ranked where place = 1 order by complaint_id
"""
_TEXTS = f"""
select complaint_id, {", ".join(FILED_COLUMNS)} from {COMPLAINTS}
where complaint_id between :low and :high order by complaint_id
"""


@dataclass(frozen=True)
class MonthFacts:
    """The AUC of three models on the complaints of a month, against their true outcomes.

    Attributes:
        auc_champion: Of the predictions that the month's champion made when the complaints came.
        auc_first: Of the first champion.
        auc_oracle: Of the true probabilities.
    """

    auc_champion: float
    auc_first: float
    auc_oracle: float

    @classmethod
    def read(cls, reader: DeltaReader, truth: pa.Table, first: ComplaintScorer) -> Self:
        """Reads a month from the tables.

        Args:
            reader: The tables.
            truth: `complaint_id`, `probability` and `is_success` of the month's complaints, ids ascending.
            first: The first champion.
        """
        ids = np.asarray(truth.column("complaint_id"))
        outcome = truth.column("is_success").to_numpy(zero_copy_only=False).astype(np.float64)
        within = {"low": int(ids.min()), "high": int(ids.max())}
        scored, texts = (reader.query(sql, within) for sql in (_FIRST_PREDICTIONS, _TEXTS))
        return cls(
            auc_champion=_auc(_of(outcome, ids, scored), np.asarray(scored.column("probability"))),
            auc_first=_auc(_of(outcome, ids, texts), np.asarray(first.score(as_raw_complaints(texts)))),
            auc_oracle=_auc(outcome, np.asarray(truth.column("probability"))),
        )


@dataclass(frozen=True)
class MonthEvents:
    """What the loop did in a month."""

    alarms: tuple[str, ...]
    is_trained: bool
    promoted: int | None
    reasons: tuple[str, ...]


def read_events(reader: DeltaReader, since: datetime, until: datetime) -> MonthEvents:
    """Reads what happened from one instant to another from the ledger and the monitor's table."""
    period = {"since": since, "until": until}
    events = reader.query(
        f"select event, model_version, evidence from {MODEL_EVENTS} "
        "where event_at >= :since and event_at < :until order by event_at",
        period,
    ).to_pylist()
    sql = (
        f"select distinct feature from {DRIFT_METRICS} "
        "where is_alarm and measured_at >= :since and measured_at < :until order by 1"
    )
    # Before the first complete window the monitor has no table.
    alarms = reader.query(sql, period).column(0).to_pylist() if DRIFT_METRICS in reader.tables() else []
    checks = [json.loads(row["evidence"]) for row in events if row["event"] == ModelEvent.RETRAIN_CHECKED]
    return MonthEvents(
        alarms=tuple(alarms),
        is_trained=any(row["event"] == ModelEvent.TRAINED for row in events),
        promoted=next((row["model_version"] for row in events if row["event"] in _PROMOTIONS), None),
        reasons=tuple(reason for check in checks for reason in check["reasons"]),
    )


def _of(outcome: Floats, ids: np.ndarray, rows: pa.Table) -> Floats:
    """The outcomes of the complaints in a table."""
    return outcome[np.searchsorted(ids, np.asarray(rows.column("complaint_id")))]


def _auc(labels: Floats, probabilities: Floats) -> float:
    return measure(labels, probabilities)["auc"]
