"""A home with a champion, and requests for it to score, as tests of the stream need them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost as xgb
from pyspark.sql import DataFrame, SparkSession

from solosolve.flows import score_stream
from solosolve.flows.score_stream import Streamed, StreamOptions
from solosolve.model.encoder import FeatureEncoder
from solosolve.model.kernels import MonthOfYear, TextLength
from solosolve.model.scorer import ComplaintScorer, as_raw_complaints
from solosolve.model.version_tags import VersionTags
from solosolve.names import CHAMPION, FILED_COLUMNS, NARRATIVE, REQUESTS, Table
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.spark_schemas import spark_schema
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables, Transaction

ENCODER = FeatureEncoder(kernels=(TextLength(column=NARRATIVE), MonthOfYear(column="date_received")))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY = date(2020, 1, 1)
REQUESTED_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def scorer(seed: int) -> ComplaintScorer:
    """A small model; each seed gives different probabilities."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 400, 300)
    rows = np.column_stack([lengths, generator.integers(1, 13, 300)]).astype(np.float32)
    labels = (generator.uniform(size=300) < 0.2 + 0.6 * (lengths > 200)).astype(float)
    parameters = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1, "eta": 0.5}
    return ComplaintScorer(ENCODER, xgb.train(parameters, xgb.DMatrix(rows, label=labels), num_boost_round=10))


def request(complaint_id: int, **overrides: Any) -> dict[str, Any]:
    """A request as a message carries it in JSON."""
    return {
        "complaint_id": complaint_id,
        "date_received": (FIRST_DAY + timedelta(days=complaint_id % 700)).isoformat(),
        "product": "Mortgage",
        "sub_product": None,
        "issue": "Loan servicing",
        "sub_issue": None,
        NARRATIVE: "They lost my payment. " * (1 + complaint_id % 23),
        "company": f"Bank {complaint_id % 7}",
        "state": "CA",
        "zip_code": "90001",
        "tags": None,
        "submitted_via": "Web",
        "requested_at": REQUESTED_AT.isoformat(),
    } | overrides


def as_row(message: dict[str, Any]) -> tuple[Any, ...]:
    """A request as a row of `bronze.inference_requests`."""
    day, instant = message["date_received"], message["requested_at"]
    typed = message | {
        "date_received": day and date.fromisoformat(day),
        "requested_at": instant and datetime.fromisoformat(instant),
    }
    return tuple(typed.get(name) for name in SCHEMAS[REQUESTS].names)


@dataclass
class Live:
    """A home with its tables, its registry, and the scorer of each model version."""

    spark: SparkSession | None
    settings: Settings
    scorers: dict[int, ComplaintScorer] = field(default_factory=dict)

    @property
    def tables(self) -> Tables:
        assert self.spark is not None
        return Tables(self.spark, self.settings)

    @property
    def registry(self) -> Registry:
        return Registry(self.settings)

    def promote(self, seed: int) -> RegisteredModel:
        """Registers a model and makes it the champion."""
        made = scorer(seed)
        files = self.settings.home / "scorers" / str(seed)
        files.mkdir(parents=True, exist_ok=True)
        made.save(files)
        return self.promote_files(files, made)

    def promote_files(self, files: Path, made: ComplaintScorer | None) -> RegisteredModel:
        registry = self.registry
        with registry.run("train_model", {}):
            model = registry.register(files, VersionTags())
        registry.set_alias(CHAMPION, model)
        if made is not None:
            self.scorers[model.version] = made
        return model

    def add_requests(self, messages: Sequence[dict[str, Any]], files: int = 1) -> None:
        """Appends requests in one commit."""
        rows = [as_row(message) for message in messages]
        tables = self.tables
        tables.append(REQUESTS, tables.spark.createDataFrame(rows, spark_schema(REQUESTS)).repartition(files))

    def stream(self, source: str = "delta", **options: Any) -> Streamed:
        assert self.spark is not None
        chosen = StreamOptions(source, **{"available_now": True, **options})  # type: ignore[arg-type]
        return score_stream.run(self.spark, self.settings, chosen)

    def query(self, sql: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = DeltaReader(self.settings.warehouse).query(sql).to_pylist()
        return rows

    def predictions(self) -> list[dict[str, Any]]:
        return self.query("select * from gold.predictions")

    def kept_positions(self) -> Counter[str]:
        """The multiset of the positions of the requests that the stream kept."""
        found = self.query("select source_position from bronze.inference_requests where source = 'kafka'")
        return Counter(row["source_position"] for row in found)

    def scored_positions(self) -> Counter[str]:
        """The multiset of the positions of the messages with a prediction."""
        found = self.query("select source_position from gold.predictions where source = 'kafka'")
        return Counter(row["source_position"] for row in found)

    def scored_ids(self) -> Counter[int]:
        """The multiset of the complaints with a prediction."""
        return Counter(row["complaint_id"] for row in self.query("select complaint_id from gold.predictions"))

    def expected(self, message: dict[str, Any], version: int) -> float:
        """The probability that a version gives a request, scored by itself and without Spark."""
        filed = {name: message[name] for name in FILED_COLUMNS}
        return float(self.scorers[version].score(as_raw_complaints(pa.Table.from_pylist([filed])))[0])


def with_champion(spark: SparkSession | None, settings: Settings, first_registry: Path) -> Live:
    """A new home whose champion is version 1, copied from a registry that has it."""
    shutil.copytree(first_registry, settings.home / "mlflow")
    return Live(spark, settings, {1: scorer(1)})


@contextmanager
def cut_off_at(table: Table, monkeypatch: pytest.MonkeyPatch, *, version: int | None = None) -> Iterator[None]:
    """Has a stream fail just before it appends to a table, in its first batch or in a given one."""
    append = Tables.append

    def cut_off(
        tables: Tables, to: Table, rows: DataFrame, transaction: Transaction | None = None, note: str | None = None
    ) -> None:
        if to == table and (version is None or (transaction is not None and transaction.version == version)):
            raise RuntimeError("cut off")
        append(tables, to, rows, transaction, note)

    with monkeypatch.context() as patch:
        patch.setattr(Tables, "append", cut_off)
        with pytest.raises(RuntimeError, match="cut off"):
            yield


def letter_id(topic: str, partition: int, offset: int, failed_at: datetime, place: int = 1) -> str:
    """A dead letter's id: its position, its batch's timestamp, and its rank among the letters at that position."""
    return f"{topic}/{partition}/{offset}/{(failed_at - EPOCH) // timedelta(microseconds=1)}/{place}"


def messages_of(requests: Sequence[dict[str, Any]]) -> Iterator[tuple[bytes, bytes]]:
    """Requests as keys and values of Kafka messages."""
    for each in requests:
        yield str(each["complaint_id"]).encode(), json.dumps(each).encode()
