"""Silver to gold: fits the AFE pipeline on the training split, logs it, and applies it to every complaint."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import asdict, dataclass
from datetime import datetime

import mlflow
import pyarrow as pa
from pyspark.ml import Pipeline
from pyspark.ml.feature import StopWordsRemover
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve import __version__
from solosolve.clock import now
from solosolve.errors import ConservationError
from solosolve.model.encoder import ENCODER_FILE, FeatureEncoder
from solosolve.model.feature_sets import feature_set
from solosolve.model.features import build_pipeline, describe, encoder_of, feature_lists
from solosolve.model.version_tags import FINGERPRINT
from solosolve.names import COMPLAINTS, FEATURES, FEEDBACK, FILED_COLUMNS, LABEL, Table
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.spark_schemas import spark_schema
from solosolve.storage.adoption import adopt, staging_folder
from solosolve.storage.migrations import add_columns, rename_split
from solosolve.storage.registry import Registry
from solosolve.storage.staging import stage_rows
from solosolve.storage.table_facts import count_each, count_rows, distinct_values, newest_version
from solosolve.storage.tables import Tables
from solosolve.transforms.fingerprints import data_hash
from solosolve.transforms.labels import with_labels
from solosolve.transforms.split import (
    SHARES,
    NoOutcomesError,
    SplitLimits,
    filter_training,
    find_split_days,
    with_split,
)

logger = logging.getLogger("solosolve.build_features")

TASK = "build_features"
SOURCE = "source_fingerprint"
"""The tag of a run for its configuration and the commits of silver that it read."""

_LABEL_COLUMNS = (LABEL, "label_source", "label_at")


@dataclass(frozen=True)
class Built:
    """The features that `gold.complaint_features` now holds.

    Attributes:
        feature_model_uri: URI of the fitted features; empty if no complaint has a known outcome.
        row_count: Rows of the table.
        is_new: Whether this run built them.
    """

    feature_model_uri: str
    row_count: int
    is_new: bool


@dataclass(frozen=True)
class _Inputs:
    """The versions of the tables that one run reads, and the time as of which it resolves labels."""

    tables: Tables
    silver: tuple[str, int]
    feedback: tuple[str, int] | None
    as_of: datetime

    @classmethod
    def pin(cls, tables: Tables) -> _Inputs:
        """The newest versions and the present time.

        Raises:
            MissingTableError: There are no complaints yet.
        """
        tables.require(COMPLAINTS)
        feedback = newest_version(tables, FEEDBACK) if tables.exists(FEEDBACK) else None
        return cls(tables, newest_version(tables, COMPLAINTS), feedback, now())

    @property
    def identity(self) -> str:
        """What the labels depend on: the versions, and how many rows of feedback have been given by now."""
        seen = self._read_feedback().where(F.col("given_at") <= F.lit(self.as_of)).count() if self.feedback else 0
        return f"{self.silver}|{self.feedback}|{seen}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the MLflow run."""
        feedback = str(self.feedback[1]) if self.feedback else "none"
        versions = {"silver_version": str(self.silver[1]), "feedback_version": feedback}
        return versions | {"labels_as_of": self.as_of.isoformat()}

    def complaint_count(self) -> int:
        """The number of complaints."""
        return self.tables.read(COMPLAINTS, self.silver[1]).count()

    def labelled_complaints(self) -> DataFrame:
        """The complaints with their resolved labels."""
        complaints = self.tables.read(COMPLAINTS, self.silver[1])
        return with_labels(complaints, self._read_feedback(), self.as_of, self.tables.settings.maturity_days)

    def _read_feedback(self) -> DataFrame:
        if self.feedback is None:
            return self.tables.spark.createDataFrame([], spark_schema(FEEDBACK))
        return self.tables.read(FEEDBACK, self.feedback[1])


def run(
    spark: SparkSession, settings: Settings, feature_set_name: str, window_days: int = 0, holdout_labels: int = 0
) -> Built:
    """Rebuilds `gold.complaint_features` from `silver.complaints` and `silver.feedback`, if the result would differ.

    Args:
        spark: The session.
        settings: Locates tables and registry; `maturity_days`.
        feature_set_name: `baseline` or `default`.
        window_days: Days before the newest labelled one whose labels are used; 0 for all.
        holdout_labels: Labelled complaints that validate, and test, have at most; 0 for a fifth of all.

    Returns:
        The URI of the fitted features and the number of rows.

    Raises:
        UsageError: There is no such feature set.
        SplitError: There are too few labels to split by date.
        ConservationError: Some complaints have no features.
    """
    chosen = feature_set(feature_set_name)
    tables, registry = Tables(spark, settings), Registry(settings)
    pipeline = build_pipeline(chosen, tuple(StopWordsRemover.loadDefaultStopWords("english")))
    limits = SplitLimits(window_days, holdout_labels)
    configuration = _configuration(pipeline, settings, limits)
    inputs = _Inputs.pin(tables)
    source = _digest(configuration, inputs.identity)
    _migrate(tables)
    # Complaints whose commit is known need not be read; others may still be the same.
    if (built := _found(tables, registry.find_run(TASK, source, SOURCE))) is not None:
        return built
    complaints = inputs.labelled_complaints()
    silver_hash = data_hash(complaints, ["complaint_id", *FILED_COLUMNS, *_LABEL_COLUMNS])
    fingerprint = _digest(configuration, silver_hash)
    if (built := _found(tables, registry.find_run(TASK, fingerprint))) is not None:
        return built
    tags = {FINGERPRINT: fingerprint, SOURCE: source, "silver_data_hash": silver_hash, **inputs.tags}
    try:
        days = find_split_days(complaints, settings.maturity_days, limits)
    except NoOutcomesError as error:
        # Landing and refining were a success, and a champion, if there is one, scores the complaints as they are.
        logger.warning("no features built: %s", error)
        return Built("", 0, is_new=False)
    with registry.run(TASK, tags) as active:
        mlflow.log_params({"feature_set": chosen.name, "maturity_days": settings.maturity_days, **asdict(limits)})
        encoder = encoder_of(pipeline.fit(filter_training(complaints, days)))
        mlflow.log_text(encoder.model_dump_json(indent=1), ENCODER_FILE)
        built = _encode(tables, with_split(complaints, days), encoder, _uri(active.info.run_id))
        _require_all(built.row_count, inputs.complaint_count())
    return built


def _migrate(tables: Tables) -> None:
    """Brings a table of an earlier release up to date."""
    rename_split(tables)
    add_columns(tables, FEATURES)


def _configuration(pipeline: Pipeline, settings: Settings, limits: SplitLimits) -> str:
    """What the features depend on besides the data."""
    without = f"{__version__}|{describe(pipeline)}|{SHARES}|{settings.maturity_days}"
    return without if limits == SplitLimits() else f"{without}|{limits}"


def _encode(tables: Tables, split: DataFrame, encoder: FeatureEncoder, uri: str) -> Built:
    """Replaces `gold.complaint_features` by the features of all complaints."""
    kept = ("complaint_id", "date_received", "split", *_LABEL_COLUMNS)

    def encode(complaints: pa.RecordBatch) -> dict[Table, pa.RecordBatch]:
        columns = {name: complaints.column(name) for name in kept} | {
            "features": feature_lists(encoder, complaints),
            "feature_model_uri": pa.repeat(uri, len(complaints)),
        }
        names = SCHEMAS[FEATURES].names
        return {FEATURES: pa.RecordBatch.from_arrays([columns[name] for name in names], names)}

    inputs = [name for name in encoder.inputs if name not in kept]
    files = stage_rows(split.select(*kept, *inputs), {FEATURES: staging_folder(tables, FEATURES)}, encode)
    adopt(tables, FEATURES, files, overwrites=True)
    counts = count_each(tables, FEATURES, "split")
    mlflow.log_metrics({f"{name}_count": count for name, count in counts.items()})
    row_count = sum(counts.values())
    logger.info("%d complaints, %d features each", row_count, len(encoder.names))
    return Built(uri, row_count, is_new=True)


def _require_all(row_count: int, expected: int) -> None:
    if row_count != expected:
        raise ConservationError(f"{expected} complaints in silver, but {row_count} rows of features")


def _found(tables: Tables, run_id: str | None) -> Built | None:
    """The features that a run built, if the table still holds them and no others."""
    if run_id is None or distinct_values(tables, FEATURES, "feature_model_uri") != {_uri(run_id)}:
        return None
    logger.info("features are up to date (%s)", _uri(run_id))
    return Built(_uri(run_id), count_rows(tables, FEATURES), is_new=False)


def _digest(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def _uri(run_id: str) -> str:
    return f"runs:/{run_id}/{ENCODER_FILE}"
