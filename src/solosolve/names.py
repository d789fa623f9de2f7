"""The names that cross modules: layers, tables, columns, topics, model and aliases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Layer(StrEnum):
    """A medallion layer; a folder locally, a schema on the platform."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


@dataclass(frozen=True, order=True)
class Table:
    """A Delta table's layer and name, wherever it is stored."""

    layer: Layer
    name: str

    def __str__(self) -> str:
        return f"{self.layer}.{self.name}"


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
        FEEDBACK: "solosolve dashboard",
    }
)
"""Table to the command that first fills it."""

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
"""Columns that are known when a complaint is filed: all that a feature may read."""

OUTCOME_COLUMNS: frozenset[str] = frozenset(
    {
        "company_public_response",
        "company_response_to_consumer",
        "timely_response",
        "consumer_disputed",
        "is_successful_resolution",
    }
)
"""Columns that are known only after the outcome; they never become features."""

WITHDRAWN_COLUMNS: tuple[str, ...] = ("consumer_consent_provided", "consumer_disputed")
"""Columns that the publisher dropped in May 2026: absent from newer files, not changed by them."""

NARRATIVE = "consumer_complaint_narrative"
LABEL = "is_successful_resolution"

RAW_TOPIC = "consumer-complaints-raw"
REQUESTS_TOPIC = "consumer-complaints-inference-requests"
PREDICTIONS_TOPIC = "consumer-complaints-predictions"
TOPICS: tuple[str, ...] = (RAW_TOPIC, REQUESTS_TOPIC, PREDICTIONS_TOPIC)
"""The Kafka topics; values are JSON objects with the table's column names, keys complaint ids."""

MODEL = "complaint_resolution"
CHAMPION = "champion"
CHALLENGER = "challenger"
