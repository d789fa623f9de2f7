"""Explains a complaint's probability with the model version that predicted it, without Spark."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
from mlflow.exceptions import MlflowException

from solosolve.errors import ModelError
from solosolve.model.effects import Effect, readable_effects
from solosolve.model.encoder import FILED_TYPES
from solosolve.model.scorer import INTERCEPT, ComplaintScorer, as_raw_complaints
from solosolve.settings import Settings
from solosolve.storage.registry import Registry

_KEPT_VERSIONS = 4


@dataclass(frozen=True)
class Explanation:
    """A probability and what makes it up: in log-odds, `base` and the effects add up to it.

    Attributes:
        probability: From 0 to 1.
        base: The average of all complaints, in log-odds.
        effects: What moved the probability, the largest effect first.
    """

    probability: float
    base: float
    effects: tuple[Effect, ...]

    @property
    def log_odds(self) -> float:
        """What the average and the effects add up to."""
        return self.base + math.fsum(effect.log_odds for effect in self.effects)


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

    def explain(self, complaint: Mapping[str, object], model_version: int) -> Explanation:
        """Attributes a complaint's probability to its words and its other features.

        Args:
            complaint: The filed columns.
            model_version: The version that predicted the probability.

        Returns:
            The probability, the average and the effects, from exact SHAP values in log-odds (see `readable_effects`).

        Raises:
            ModelError: The version cannot be loaded, or cannot score the complaint.
        """
        # Neither the registry's client nor the trees may be used by two threads at once.
        with self._lock:
            row = {name: [None if (value := complaint.get(name)) is None else str(value)] for name in FILED_TYPES}
            texts = pa.table({name: pa.array(values, pa.string()) for name, values in row.items()})
            scorer = self._scorer(model_version)
            raw = as_raw_complaints(texts)
            effects, probability = scorer.explain(raw)[0], float(scorer.score(raw)[0])
        base = effects.pop(INTERCEPT)
        shares = scorer.encoder.word_shares(complaint)
        return Explanation(probability, base, tuple(readable_effects(effects, shares, complaint)))

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
