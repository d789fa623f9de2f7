"""What happened, as the tables say it: rows and where the rest went, the champion beside prior and oracle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from solosolve.model.metrics import METRICS, Floats, measure
from solosolve.names import CHAMPION, MADE_BY, MODEL_EVENTS, MODEL_METRICS, PREDICTIONS, REQUESTS, Table
from solosolve.storage.reader import Reader


@dataclass(frozen=True)
class Conservation:
    """One promise that no row is lost or doubled: two counts that are equal.

    Attributes:
        statement: What is equal.
        left: One count.
        right: The other.
        lacking: What the lacking rows may rightly be, where the other may be smaller.
    """

    statement: str
    left: int
    right: int
    lacking: str = ""

    @property
    def holds(self) -> bool:
        """Whether the counts are equal, or smaller where rows may be deleted."""
        return self.left == self.right or (bool(self.lacking) and self.right < self.left)


@dataclass(frozen=True)
class Metric:
    """A metric of the champion on the test split, and of what it is read against."""

    name: str
    value: float
    low: float
    high: float
    prior: float | None
    oracle: float | None


@dataclass(frozen=True)
class Champion:
    """The model that scores.

    Attributes:
        version: Its version in the registry.
        is_provisional: Whether it was promoted without beating the prior.
        label_count: Labelled complaints of all splits.
        test_count: Those of the test split, that the metrics are measured on.
        metrics: The metrics.
    """

    version: int
    is_provisional: bool
    label_count: int
    test_count: int
    metrics: tuple[Metric, ...]


class Summary:
    """Reads the figures of the end of a demo; each property is one question to the tables."""

    def __init__(self, reader: Reader) -> None:
        """Keeps the reader, and which tables there are."""
        self._reader = reader
        self.existing = frozenset(reader.tables())

    @property
    def row_counts(self) -> dict[Table, int]:
        """Table to its rows, in the order in which the jobs fill them."""
        return {table: self._count(f"select count(*) from {table}") for table in MADE_BY if table in self.existing}

    @property
    def conservation(self) -> list[Conservation]:
        """The promises that the existing tables can be held to."""
        checks = [
            ("records landed = bronze + quarantine", _LANDED, _STORED, ""),
            ("distinct complaints in bronze = silver + rejected", _DISTINCT, _REFINED, "deleted from silver"),
            ("complaints in silver = rows of features", _SILVER, "select count(*) from gold.complaint_features", ""),
        ]
        found = [
            Conservation(words, self._count(left), self._count(right), lacking)
            for words, left, right, lacking in checks
            if self._can_answer(left) and self._can_answer(right)
        ]
        champion = self._champion_event
        if champion is not None and PREDICTIONS in self.existing:
            version = champion["model_version"]
            words = f"complaints in silver = those with a prediction by version {version}, and no two by batch"
            found.append(Conservation(words, self._count(_SILVER), self._count(_SCORED_ONCE.format(version=version))))
        if self._can_answer(_REQUESTED) and self._can_answer(_ANSWERED):
            words = "requests in the table = their predictions + their dead letters"
            waiting = "wait for the stream, or were there before it began with the latest"
            answered = _ANSWERED.format(table_id=self._reader.table_id(REQUESTS))
            found.append(Conservation(words, self._count(_REQUESTED), self._count(answered), waiting))
        return found

    @property
    def quarantined(self) -> dict[str, int]:
        """Reason to records."""
        return self._pairs("select _reason, count(*) from bronze.complaints_quarantine group by 1 order by 2 desc, 1")

    @property
    def rejected(self) -> dict[str, int]:
        """Rule to complaints that fail it; one may fail several."""
        return self._pairs(
            "select rule, count(*) from (select unnest(failed_rules) as rule from silver.complaints_rejected) "
            "group by 1 order by 2 desc, 1"
        )

    @property
    def splits(self) -> list[dict[str, Any]]:
        """Split, complaints, success rate, first and last day received."""
        return self._rows(
            "select split, count(*) as complaints, avg(is_successful_resolution) as success_rate, "
            "min(date_received) as first_day, max(date_received) as last_day "
            "from gold.complaint_features group by 1 order by 4, 5"
        )

    @property
    def champion(self) -> Champion | None:
        """The champion and its metrics; None before the first promotion."""
        event = self._champion_event
        if event is None or MODEL_METRICS not in self.existing:
            return None
        version = int(event["model_version"])
        measured = self._rows(
            "select metric, value, value_low, value_high, record_count from gold.model_metrics "
            f"where model_version = {version} and split = 'test'"
        )
        trained = self._trained(version)
        # Prior and oracle are of the slice that the champion was measured on, or left out.
        is_same_slice = trained["feature_model_uri"] == self._feature_model_uri()
        _, labels = self._test_labels()
        prior = measure(labels, np.full(len(labels), trained["prior"])) if is_same_slice else {}
        oracle = self.oracle_on_test() if is_same_slice else {}
        metrics = tuple(
            Metric(name, row["value"], row["value_low"], row["value_high"], prior.get(name), oracle.get(name))
            for row in measured
            if (name := row["metric"]) in METRICS
        )
        test_count = int(measured[0]["record_count"]) if measured else 0
        is_provisional = event["event"] == "promoted_provisional"
        return Champion(version, is_provisional, int(trained["label_count"]), test_count, metrics)

    @property
    def predicted(self) -> list[dict[str, Any]]:
        """The champion's predictions: `source`, and how many are `successful` and `not_successful`."""
        return self._of_champion(
            "select source, count(*) filter (where prediction = 1.0) as successful, "
            "count(*) filter (where prediction <> 1.0) as not_successful "
            "from gold.predictions where model_version = {version} group by 1 order by 1"
        )

    @property
    def newest_streamed(self) -> list[dict[str, Any]]:
        """The champion's newest predictions from a stream."""
        return self._of_champion(
            "select source, source_position, complaint_id, company, probability "
            "from gold.predictions where model_version = {version} and batch_id is not null "
            "order by scored_at desc, requested_at desc, complaint_id limit 5"
        )

    def _of_champion(self, sql: str) -> list[dict[str, Any]]:
        event = self._champion_event
        if event is None or PREDICTIONS not in self.existing:
            return []
        return self._rows(sql.format(version=event["model_version"]))

    def oracle_on_test(self) -> dict[str, float]:
        """The metrics of the true probabilities on the test split; empty unless all its complaints are made up."""
        ids, labels = self._test_labels()
        truth = self._truth(ids)
        return measure(labels, truth) if truth is not None else {}

    @cached_property
    def _champion_event(self) -> dict[str, Any] | None:
        if MODEL_EVENTS not in self.existing:
            return None
        events = self._rows(
            f"select model_version, event from gold.model_events where alias = '{CHAMPION}' "
            "order by event_at desc limit 1"
        )
        return events[0] if events else None

    def _test_labels(self) -> tuple[pa.Array, Floats]:
        rows = self._reader.query(
            "select complaint_id, is_successful_resolution from gold.complaint_features where split = 'test' order by 1"
        )
        return rows["complaint_id"].combine_chunks(), rows["is_successful_resolution"].to_numpy()

    def _trained(self, version: int) -> dict[str, Any]:
        """The evidence of the version's training."""
        rows = self._rows(
            f"select evidence from gold.model_events where event = 'trained' and model_version = {version} limit 1"
        )
        evidence: dict[str, Any] = json.loads(rows[0]["evidence"])
        return evidence

    def _feature_model_uri(self) -> str | None:
        rows = self._rows("select feature_model_uri from gold.complaint_features limit 1")
        return str(rows[0]["feature_model_uri"]) if rows else None

    def _truth(self, ids: pa.Array) -> Floats | None:
        """The true probabilities of made-up complaints; None unless every complaint is one."""
        truths = [pq.read_table(file) for file in self._truth_files() if file.is_file()]
        if not truths:
            return None
        by_id: Mapping[int, float] = dict(
            zip(*(pa.concat_tables(truths)[name].to_pylist() for name in ("complaint_id", "probability")), strict=True)
        )
        found = [by_id.get(number) for number in ids.to_pylist()]
        return None if None in found else np.array(found, dtype=np.float64)

    def _truth_files(self) -> list[Path]:
        landed = self._rows("select distinct source_file from bronze.landings")
        return [Path(row["source_file"]).with_suffix(".truth.parquet") for row in landed]

    @property
    def is_mixed(self) -> bool:
        """Whether made-up complaints stand beside others."""
        return len({file.is_file() for file in self._truth_files()}) > 1

    def _can_answer(self, sql: str) -> bool:
        return all(str(table) not in sql or table in self.existing for table in MADE_BY)

    def _count(self, sql: str) -> int:
        return int(self._reader.query(sql).column(0)[0].as_py() or 0)

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._reader.query(sql).to_pylist()
        return rows

    def _pairs(self, sql: str) -> dict[str, int]:
        if not self._can_answer(sql):
            return {}
        table = self._reader.query(sql)
        return dict(zip(table.column(0).to_pylist(), table.column(1).to_pylist(), strict=True))


_LANDED = "select sum(record_count) from bronze.landings"
_STORED = (
    "select sum(n) from (select count(*) as n from bronze.complaints "
    "union all select count(*) as n from bronze.complaints_quarantine)"
)
_ID = "btrim(complaint_id, ' ' || chr(9) || chr(10) || chr(13))"
_DISTINCT = (
    f"select count(distinct cast({_ID} as bigint)) from bronze.complaints "
    f"where regexp_like({_ID}, '^[0-9]{{1,18}}$') and not regexp_like({_ID}, '^0+$')"
)
_SCORED_ONCE = (
    "select count(*) from (select p.complaint_id from gold.predictions p join silver.complaints s "
    "on p.complaint_id = s.complaint_id where p.model_version = {version} "
    "group by p.complaint_id having count(*) filter (where p.source = 'batch') <= 1)"
)
_REQUESTED = "select count(*) from bronze.inference_requests"
# A stream answers what it reads: in the periods when it read this table, and not one that was in its place.
_ANSWERED = """
with periods as (
    select source_id, bound_at, lead(bound_at) over (order by bound_at) as ended_at
    from bronze.checkpoints where stream = 'score_stream_delta'
), answers as (
    select scored_at as answered_at from gold.predictions where source = 'delta'
    union all
    select failed_at from bronze.dead_letters where topic = 'bronze.inference_requests'
)
select count(*) from answers join periods on answered_at >= bound_at and (ended_at is null or answered_at < ended_at)
where strpos(source_id, '{table_id}') > 0
"""
_SILVER = "select count(*) from silver.complaints"
_REFINED = (
    "select sum(n) from (select count(*) as n from silver.complaints "
    "union all select count(*) as n from silver.complaints_rejected where not starts_with(_record_key, 'invalid:'))"
)
