"""Names that several modules use: layers, tables, columns, topics, the model and its aliases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal


class Layer(StrEnum):
    """A medallion layer: a folder locally, a schema on the platform."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


@dataclass(frozen=True, order=True)
class Table:
    """A Delta table, identified by layer and name."""

    layer: Layer
    name: str

    def __str__(self) -> str:
        return f"{self.layer}.{self.name}"

    def folder_in(self, warehouse: Path) -> Path:
        """The table's folder below the folder of a local warehouse."""
        return warehouse / self.layer / self.name


COMPLAINTS_RAW = Table(Layer.BRONZE, "complaints")
QUARANTINE = Table(Layer.BRONZE, "complaints_quarantine")
LANDINGS = Table(Layer.BRONZE, "landings")
REQUESTS = Table(Layer.BRONZE, "inference_requests")
DEAD_LETTERS = Table(Layer.BRONZE, "dead_letters")
CHECKPOINTS = Table(Layer.BRONZE, "checkpoints")
COMPLAINTS = Table(Layer.SILVER, "complaints")
REJECTED = Table(Layer.SILVER, "complaints_rejected")
FEATURES = Table(Layer.GOLD, "complaint_features")
PREDICTIONS = Table(Layer.GOLD, "predictions")
MODEL_METRICS = Table(Layer.GOLD, "model_metrics")
MODEL_EVENTS = Table(Layer.GOLD, "model_events")
STREAM_PROGRESS = Table(Layer.GOLD, "stream_progress")
TEST_SCORES = Table(Layer.GOLD, "test_scores")
FEEDBACK = Table(Layer.SILVER, "feedback")
DRIFT_METRICS = Table(Layer.GOLD, "drift_metrics")
MODEL_PERFORMANCE = Table(Layer.GOLD, "model_performance")
MEASURED_LABELS = Table(Layer.GOLD, "measured_labels")
SHADOW_PREDICTIONS = Table(Layer.GOLD, "shadow_predictions")
ALERTS = Table(Layer.GOLD, "alerts")

MADE_BY: Mapping[Table, str] = MappingProxyType(
    {
        COMPLAINTS_RAW: "solosolve run medallion",
        QUARANTINE: "solosolve run medallion",
        LANDINGS: "solosolve run medallion",
        COMPLAINTS: "solosolve run medallion",
        REJECTED: "solosolve run medallion",
        FEATURES: "solosolve run medallion",
        MODEL_METRICS: "solosolve run train_model",
        MODEL_EVENTS: "solosolve run train_model",
        PREDICTIONS: "solosolve run score_batch",
        REQUESTS: "solosolve run request_scores",
        DEAD_LETTERS: "solosolve run score_stream",
        CHECKPOINTS: "solosolve run score_stream",
        STREAM_PROGRESS: "solosolve run score_stream",
        TEST_SCORES: "solosolve run train_model",
        FEEDBACK: "solosolve run maintain_tables",
        DRIFT_METRICS: "solosolve run retrain",
        MODEL_PERFORMANCE: "solosolve run retrain",
        MEASURED_LABELS: "solosolve run retrain",
        SHADOW_PREDICTIONS: "solosolve run score_batch",
        ALERTS: "solosolve run retrain",
    }
)
"""The command that first fills each table."""

COMPLAINT_COLUMNS: tuple[str, ...] = (
    "date_received",
    "product",
    "sub_product",
    "issue",
    "sub_issue",
    "consumer_complaint_narrative",
    "company_public_response",
    "company",
    "state",
    "zip_code",
    "tags",
    "consumer_consent_provided",
    "submitted_via",
    "date_sent_to_company",
    "company_response_to_consumer",
    "timely_response",
    "consumer_disputed",
    "complaint_id",
)
"""The CFPB's 18 published columns in snake_case, in the order of the official CSV."""

FILED_COLUMNS: tuple[str, ...] = (
    "date_received",
    "product",
    "sub_product",
    "issue",
    "sub_issue",
    "consumer_complaint_narrative",
    "company",
    "state",
    "zip_code",
    "tags",
    "submitted_via",
)
"""Columns that are known when a complaint is filed; features may read only these."""

REQUEST_COLUMNS: tuple[str, ...] = ("complaint_id", *FILED_COLUMNS, "requested_at")
"""What a request says."""

OUTCOME_COLUMNS: frozenset[str] = frozenset(
    {
        "company_public_response",
        "company_response_to_consumer",
        "timely_response",
        "consumer_disputed",
        "is_successful_resolution",
    }
)
"""Columns that are known only after the outcome, and never become features."""

WITHDRAWN_COLUMNS: tuple[str, ...] = ("consumer_consent_provided", "consumer_disputed")
"""Columns that the publisher dropped in May 2026: newer files lack them and so do not change them."""

NARRATIVE = "consumer_complaint_narrative"
LABEL = "is_successful_resolution"

OUTCOME_NAMES: Mapping[float, str] = MappingProxyType({1.0: "successful", 0.0: "not successful"})
"""The words for each value of a label or a prediction."""

INVALID_KEY_PREFIX = "invalid:"
"""Prefix of the `_record_key` of a record without a valid complaint id."""

TRAIN, VALIDATE, TEST = "train", "validate", "test"
IMMATURE, DUPLICATE, UNLABELLED, OUTDATED = "immature", "duplicate", "unlabelled", "outdated"
SPLITS: tuple[str, ...] = (TRAIN, VALIDATE, TEST, IMMATURE, DUPLICATE, UNLABELLED, OUTDATED)
"""The values of `split` in `gold.complaint_features`; `transforms.split` assigns them."""

REJECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "has_valid_complaint_id": "no valid complaint number",
        "has_valid_date_received": "no valid date of receipt",
        "has_readable_date_sent": "unreadable date sent to the company",
        "has_narrative": "no narrative",
        "has_product": "no product",
        "has_company": "no company",
        "has_state": "no state",
        "has_submitted_via": "no channel (submitted via)",
    }
)
"""What a person reads for each name in `failed_rules` of `silver.complaints_rejected`."""

CATEGORY_COUNT = 15
"""How many of a column's values, the most frequent ones, the features distinguish."""

OTHER_CATEGORY = "Other"
"""The category of all other values."""

RAW_TOPIC = "consumer-complaints-raw"
REQUESTS_TOPIC = "consumer-complaints-inference-requests"
PREDICTIONS_TOPIC = "consumer-complaints-predictions"
FEEDBACK_TOPIC = "consumer-complaints-feedback"
TOPICS: tuple[str, ...] = (RAW_TOPIC, REQUESTS_TOPIC, PREDICTIONS_TOPIC, FEEDBACK_TOPIC)
"""The Kafka topics. Values are JSON objects with the table's column names, keys are complaint ids."""

BATCH_SOURCE: Final = "batch"
DELTA_SOURCE: Final = "delta"
KAFKA_SOURCE: Final = "kafka"
REPLAY_SOURCE: Final = "replay"
"""The four values of `source` in `gold.predictions`: the batch job, the two streams, and replayed dead letters."""

KEPT_SOURCES: tuple[str, ...] = (KAFKA_SOURCE, REPLAY_SOURCE)
"""Sources whose requests no table had: `bronze.inference_requests` keeps them with their predictions."""

IS_TO_BE_SCORED = f"(source IS NULL OR source NOT IN ({', '.join(map(repr, KEPT_SOURCES))}))"
"""Whether a row of `bronze.inference_requests` asks the Delta stream for a score, in SQL; the others have theirs."""

PUBLISHED_LABEL: Final = "published"
EVENT_LABEL: Final = "event"
REVIEW_LABEL: Final = "review"
LABEL_SOURCES: tuple[str, ...] = (PUBLISHED_LABEL, EVENT_LABEL, REVIEW_LABEL)
"""Where a label came from, the least trusted first: a published outcome, an automatic event, a reviewer."""

SECOND_READING: Final = "second_reading"
"""The source of a second reviewer's verdict, which is compared with the first one and is no label."""


class Verdict(StrEnum):
    """What feedback says of a complaint's outcome; WITHDRAWN takes back the row with the same `feedback_id`."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNSURE = "unsure"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> float | None:
        """1.0 for success, 0.0 for failure, None for the others."""
        return {Verdict.SUCCESS: 1.0, Verdict.FAILURE: 0.0}.get(self)


NO_SOURCE: Final = "none"
"""The source of feedback that brings in nothing: the table is made, or gains the columns of this release."""

FEEDBACK_FILES: Final = "feedback-files"
"""The `topic` of dead letters that came from feedback files; those from Kafka have FEEDBACK_TOPIC."""

IS_FEEDBACK_LETTER = f"topic IN ('{FEEDBACK_TOPIC}', '{FEEDBACK_FILES}')"
"""Whether a dead letter is a feedback event, which is corrected by sending it again, in SQL; others are requests."""

PICKED_AUDIT: Final = "audit"
PICKED_UNCERTAIN: Final = "uncertain"
PICKED_SECOND: Final = "second"
"""How the review queue picked a complaint: at random, so that its label measures the model, for its probability, or for
a second reading."""

SourceName = Literal["delta", "kafka"]
"""The sources of a stream: DELTA_SOURCE, which is `bronze.inference_requests`, and KAFKA_SOURCE."""

SCORE_STREAM_PREFIX = "score_stream_"
"""Prefix of a scoring stream's name; its source follows."""

MODEL = "complaint_resolution"
CHAMPION = "champion"
CHALLENGER = "challenger"
SHADOW = "shadow"
"""The aliases: the model in use, the newest one trained, and one that scores beside the champion unseen."""

THRESHOLD = 0.5
"""Probability from which a version without a threshold of its own predicts a successful resolution."""

THRESHOLD_METRIC = "threshold"
"""The row of `gold.model_metrics` that has a version's threshold."""

DASHBOARD_PORT = 8050

TRUTH_SUFFIX = ".truth.parquet"
"""Ending of the file that holds the true probabilities of a sample, in place of the `.csv` of the sample."""
