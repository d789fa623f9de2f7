"""Explains a complaint's probability with the model version that predicted it, without Spark."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache

import pyarrow as pa
from mlflow.exceptions import MlflowException

from solosolve.errors import ModelError
from solosolve.model.encoder import FILED_TYPES
from solosolve.model.scorer import INTERCEPT, ComplaintScorer, as_raw_complaints
from solosolve.model.word_kernels import TERM_PREFIX
from solosolve.settings import Settings
from solosolve.storage.registry import Registry

_KEPT_VERSIONS = 4
_NAMED_WORDS = 4


class ModelExplainer:
    """Explains with models of the registry; each is fetched once, on first use."""

    def __init__(self, settings: Settings) -> None:
        """Connects to the registry on first use.

        Args:
            settings: The settings that locate the registry.
        """
        self._settings = settings
        self._lock = threading.Lock()
        self._scorer = lru_cache(_KEPT_VERSIONS)(self._load)

    def explain(self, complaint: Mapping[str, object], model_version: int) -> list[tuple[str, float]]:
        """Attributes a complaint's probability to its features.

        Args:
            complaint: The filed columns.
            model_version: The version that predicted the probability.

        Returns:
            Feature names and exact SHAP values in log-odds, largest effect first. A feature that counts words is
            named after those words of this complaint.

        Raises:
            ModelError: The version cannot be loaded, or cannot score the complaint.
        """
        # Neither the registry's client nor the trees may be used by two threads at once.
        with self._lock:
            row = {name: [None if (value := complaint.get(name)) is None else str(value)] for name in FILED_TYPES}
            texts = pa.table({name: pa.array(values, pa.string()) for name, values in row.items()})
            scorer = self._scorer(model_version)
            effects = scorer.explain(as_raw_complaints(texts))[0]
        words = scorer.encoder.words_by_feature(complaint)
        return [(_named(feature, words), effect) for feature, effect in effects.items() if feature != INTERCEPT]

    def _load(self, version: int) -> ComplaintScorer:
        try:
            registry = Registry(self._settings)
            return ComplaintScorer.load(registry.fetch(registry.get(version)))
        except MlflowException as error:
            raise ModelError(f"version {version} cannot be fetched: {error}") from error


def _named(feature: str, words: Mapping[str, list[str]]) -> str:
    if feature in words:
        return f"words: {', '.join(words[feature][:_NAMED_WORDS])}"
    return f"no word of {feature}" if feature.startswith(TERM_PREFIX) else feature.replace("=", ": ")
