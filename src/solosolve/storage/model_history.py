"""What the ledger and the metrics say of model versions, asked without Spark."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from solosolve.errors import ModelError, NoChampionError
from solosolve.names import CHAMPION, MODEL_EVENTS, MODEL_METRICS, TEST
from solosolve.storage.reader import Reader


@dataclass(frozen=True)
class Championship:
    """A version that was champion from an instant on, and the event that made it so."""

    version: int
    since: datetime
    event: str
    actor: str
    evidence: str


@dataclass(frozen=True)
class ModelHistory:
    """The history of the versions in one set of tables."""

    reader: Reader

    def versions(self) -> pa.Table:
        """One row per version, the newest first: when it was trained, its newest event, its metrics on the test split.

        Raises:
            MissingTableError: No model has been trained.
        """
        return self.reader.query(
            f"""
            select m.model_version, min(m.trained_at) as trained_at,
                max(case when m.metric = 'auc' then m.value end) as auc,
                max(case when m.metric = 'log_loss' then m.value end) as log_loss,
                max(case when m.metric = 'failure_recall' then m.value end) as failures_found,
                max(e.event) as newest_event
            from {MODEL_METRICS} m left join (
                select model_version, event from (
                    select model_version, event, row_number() over (partition by model_version order by event_at desc)
                        as place from {MODEL_EVENTS}) ranked where place = 1
            ) e on e.model_version = m.model_version
            where m.split = '{TEST}' group by m.model_version order by m.model_version desc
            """
        )

    def events_of(self, version: int) -> pa.Table:
        """Everything that happened to a version, oldest first, with actor and evidence.

        Raises:
            ModelError: Nothing is known of the version.
        """
        found = self.reader.query(
            f"select event_at, event, alias, actor, evidence from {MODEL_EVENTS} where model_version = :version "
            "order by event_at",
            {"version": version},
        )
        if found.num_rows == 0:
            raise ModelError(f"the ledger knows no version {version}: see solosolve model list")
        return found

    def champion_at(self, instant: datetime) -> Championship:
        """The champion at an instant.

        Raises:
            NoChampionError: No version was champion then.
        """
        found = self.reader.query(
            f"select model_version, event_at, event, actor, evidence from {MODEL_EVENTS} "
            f"where alias = '{CHAMPION}' and event_at <= :instant order by event_at desc limit 1",
            {"instant": instant},
        ).to_pylist()
        if not found:
            raise NoChampionError
        row = found[0]
        return Championship(row["model_version"], row["event_at"], row["event"], row["actor"], row["evidence"])

    def compare(self, one: int, other: int) -> pa.Table:
        """The metrics of two versions on their test splits, side by side, with their 95 % intervals.

        Raises:
            ModelError: Nothing is known of one of them.
        """
        found = self.reader.query(
            f"""
            select a.metric, a.value as version_{one}, a.value_low as low_{one}, a.value_high as high_{one},
                b.value as version_{other}, b.value_low as low_{other}, b.value_high as high_{other}
            from (select * from {MODEL_METRICS} where split = '{TEST}' and model_version = :one) a
            join (select * from {MODEL_METRICS} where split = '{TEST}' and model_version = :other) b
                on a.metric = b.metric order by a.metric
            """,
            {"one": one, "other": other},
        )
        if found.num_rows == 0:
            raise ModelError(f"no metrics of both {one} and {other}: see solosolve model list")
        return found
