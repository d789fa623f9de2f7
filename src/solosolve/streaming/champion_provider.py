"""Provides each batch of a stream with the champion, or with the last good model while the champion is broken."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa
from pyspark.sql import functions as F

from solosolve.clock import now
from solosolve.errors import ModelError, NoChampionError, one_line
from solosolve.model.scorer import ComplaintScorer, as_raw_complaints
from solosolve.names import PREDICTIONS
from solosolve.storage.champion_moves import champion_at
from solosolve.storage.ledger import record_event
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.model_signature import EXAMPLE
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables
from solosolve.transforms.predictions import Scoring

logger = logging.getLogger("solosolve.champion_provider")

RETRY_SECONDS = 60.0
"""Seconds before a champion that failed to load is tried again."""


class ModelFiles(Protocol):
    """Where the files of a version come from."""

    def fetch(self, model: RegisteredModel) -> Path:
        """Returns a local folder with a version's files; raises ModelError if they cannot be fetched."""
        ...


class ModelStore(ModelFiles, Protocol):
    """The part of the model registry that a stream uses."""

    def champion_at(self, instant: datetime) -> RegisteredModel | None:
        """Returns the champion at an instant, or None."""
        ...

    def get(self, version: int) -> RegisteredModel:
        """Returns a version; raises ModelError if it does not exist."""
        ...


def load(registry: ModelFiles, model: RegisteredModel) -> Scoring:
    """Loads a version and has it score a made-up complaint.

    Raises:
        ModelError: It cannot be fetched or loaded, does not fit the complaint columns, or returns no probability.
    """
    scorer = ComplaintScorer.load(registry.fetch(model))
    probability = float(scorer.score(_control())[0])
    if not (math.isfinite(probability) and 0 <= probability <= 1):
        raise ModelError(f"version {model.version} returned {probability} for a complaint, expected a probability")
    return Scoring(scorer.score, scorer.threshold, model.name, model.version)


def with_control(scoring: Scoring) -> Scoring:
    """Makes a model refuse single messages that it cannot score, instead of failing the whole batch."""
    return replace(scoring, control=_control())


def _control() -> pa.RecordBatch:
    """A complaint that every model can score."""
    return as_raw_complaints(pa.Table.from_pylist([EXAMPLE]))


class ChampionProvider:
    """Provides the champion for each batch; a champion that cannot score leaves the last good model in use."""

    def __init__(
        self,
        registry: ModelStore,
        record_failure: Callable[[int, Mapping[str, object]], None],
        scored_versions: Callable[[], Iterable[int]],
        *,
        load: Callable[[ModelStore, RegisteredModel], Scoring] = load,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keeps its sources; loads nothing yet.

        Args:
            registry: The model registry.
            record_failure: Records in the ledger that a version cannot score, with the evidence.
            scored_versions: The versions with predictions in the tables, the latest first.
            load: Loads a version.
            clock: Seconds since some fixed instant.
        """
        self._registry, self._record_failure, self._scored_versions = registry, record_failure, scored_versions
        self._load, self._clock = load, clock
        self._in_use: Scoring | None = None
        self._previous: Scoring | None = None
        self._failed_at: dict[int, float] = {}
        """Version to the clock's reading when it last failed; infinite once the version is dropped."""
        self._last_warning = ""

    @classmethod
    def open(cls, tables: Tables) -> ChampionProvider:
        """Opens the provider of a home: its registry, its ledger and its predictions."""

        def record_failure(version: int, evidence: Mapping[str, object]) -> None:
            record_event(tables, version, ModelEvent.LOAD_FAILED, evidence)

        return cls(_Store(tables, Registry(tables.settings)), record_failure, lambda: _scored_versions(tables))

    def current(self, at: datetime | None = None) -> Scoring:
        """Looks up the champion.

        Args:
            at: The instant that the predictions will carry; now when None.

        Returns:
            The champion. While it is broken, or the registry does not answer, the last good model; the log says why,
            and the ledger records a broken version.

        Raises:
            ModelError: No champion can score, and no other model has scored before.
        """
        try:
            champion = self._registry.champion_at(at or now())
        except Exception as error:
            logger.debug("the registry does not answer", exc_info=True)
            return self._fall_back(ModelError(f"the model registry does not answer ({one_line(error)})"), error)
        if champion is None:
            return self._fall_back(NoChampionError())
        if self._in_use is None or self._in_use.model_version != champion.version:
            return self._pick_up(champion)
        self._last_warning = ""
        return self._in_use

    def drop(self, scoring: Scoring, reason: str) -> Scoring:
        """Drops a model that loaded but fails on real messages, until the process restarts.

        Returns:
            The model that scored before it. If there is none, the messages may be at fault, and the same model is
            returned, set to refuse single messages that it fails on.

        Raises:
            ModelError: The model also fails on a made-up complaint, which it scored when it was loaded.
        """
        version = scoring.model_version
        failure = ModelError(f"version {version} cannot score ({reason})")
        if scoring.control is not None:
            raise ModelError(f"{failure}, and no other model has scored before")
        self._failed_at[version] = math.inf
        self._in_use, self._previous = self._previous or self._latest_that_scored(), None
        if self._in_use is None:
            logger.warning("%s, no other model has scored before: what it fails on becomes a dead letter", failure)
            self._in_use = with_control(scoring)
            return self._in_use
        kept = self._fall_back(failure)
        self._record(version, reason, kept)
        return kept

    def _pick_up(self, champion: RegisteredModel) -> Scoring:
        version, now = champion.version, self._clock()
        has_failed = version in self._failed_at
        if has_failed and self._in_use is not None and now - self._failed_at[version] < RETRY_SECONDS:
            return self._in_use
        try:
            self._in_use, self._previous = self._load(self._registry, champion), self._in_use
        except Exception as error:
            logger.debug("version %d cannot be loaded", version, exc_info=True)
            self._failed_at[version] = now
            kept = self._fall_back(ModelError(f"version {version} cannot score ({one_line(error)})"), error)
            if not has_failed:
                self._record(version, one_line(error), kept)
            return kept
        logger.info("version %d scores from now on", version)
        return self._in_use

    def _record(self, version: int, error: str, kept: Scoring) -> None:
        self._record_failure(version, {"error": error, "kept": kept.model_version})

    def _fall_back(self, failure: ModelError, cause: Exception | None = None) -> Scoring:
        if self._in_use is None:
            self._in_use = self._latest_that_scored()
        if self._in_use is None:
            raise failure from cause
        if str(failure) != self._last_warning:
            logger.warning("%s: version %d keeps scoring", failure, self._in_use.model_version)
            self._last_warning = str(failure)
        return self._in_use

    def _latest_that_scored(self) -> Scoring | None:
        """After a restart: the version with the newest prediction, among those that have not failed."""
        for version in self._scored_versions():
            if version in self._failed_at:
                continue
            try:
                return self._load(self._registry, self._registry.get(version))
            except ModelError as error:
                logger.warning("version %d, which has scored before, cannot be loaded (%s)", version, one_line(error))
        return None


@dataclass(frozen=True)
class _Store:
    """The registry and the ledger of a home."""

    tables: Tables
    registry: Registry

    def champion_at(self, instant: datetime) -> RegisteredModel | None:
        return champion_at(self.tables, self.registry, instant)

    def get(self, version: int) -> RegisteredModel:
        return self.registry.get(version)

    def fetch(self, model: RegisteredModel) -> Path:
        return self.registry.fetch(model)


def _scored_versions(tables: Tables) -> list[int]:
    """The versions in `gold.predictions`, the one with the newest prediction first."""
    if not tables.exists(PREDICTIONS):
        return []
    by_version = tables.read(PREDICTIONS).groupBy("model_version").agg(F.max("scored_at").alias("scored_at"))
    return [row["model_version"] for row in by_version.orderBy(F.desc("scored_at")).collect()]
