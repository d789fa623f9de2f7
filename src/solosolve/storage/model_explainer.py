"""Explains a complaint's probability with the model version that predicted it, without Spark."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Explanation:
    """A probability and what makes it up: in log-odds, `base` and the effects add up to it.

    Attributes:
        probability: From 0 to 1.
        base: The average of all complaints, in log-odds.
        effects: Feature names and effects in log-odds, the largest first.
    """

    probability: float
    base: float
    effects: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class ModelFacts:
    """Where a model version comes from.

    Attributes:
        name: The model's name.
        version: The version.
        run_id: The run that trained it.
        feature_model_uri: The fitted features.
        git_commit: The commit of the code that trained it.
    """

    name: str
    version: int
    run_id: str
    feature_model_uri: str | None
    git_commit: str | None


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
        self._facts = lru_cache(_KEPT_VERSIONS)(self._read_facts)

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
        return list(self.explain_fully(complaint, model_version).effects)

    def explain_fully(self, complaint: Mapping[str, object], model_version: int) -> Explanation:
        """Attributes a complaint's probability to its features, with the average and the probability itself; as
        `explain`.
        """
        # Neither the registry's client nor the trees may be used by two threads at once.
        with self._lock:
            row = {name: [None if (value := complaint.get(name)) is None else str(value)] for name in FILED_TYPES}
            texts = pa.table({name: pa.array(values, pa.string()) for name, values in row.items()})
            scorer = self._scorer(model_version)
            raw = as_raw_complaints(texts)
            effects, probability = scorer.explain(raw)[0], float(scorer.score(raw)[0])
        words = scorer.encoder.words_by_feature(complaint)
        named = [(_named(feature, words), effect) for feature, effect in effects.items() if feature != INTERCEPT]
        return Explanation(probability, effects[INTERCEPT], tuple(named))

    def facts(self, model_version: int) -> ModelFacts:
        """Where a version comes from.

        Raises:
            ModelError: There is no such version.
        """
        with self._lock:
            return self._facts(model_version)

    def _read_facts(self, version: int) -> ModelFacts:
        model = Registry(self._settings).get(version)
        tags = model.tags
        return ModelFacts(model.name, model.version, model.run_id, tags.feature_model_uri, tags.git_commit)

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
