"""The champion as a stream sees it: looked up before each batch, and the last good one while a new one is broken."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import replace

import pyarrow as pa
from pyspark.sql import functions as F

from solosolve.errors import ModelError, one_line
from solosolve.model.scorer import THRESHOLD, ComplaintScorer, as_raw_complaints
from solosolve.names import CHAMPION, PREDICTIONS
from solosolve.storage.ledger import record_event
from solosolve.storage.registry import EXAMPLE, RegisteredModel, Registry
from solosolve.storage.tables import Tables
from solosolve.transforms.predictions import Scoring

logger = logging.getLogger("solosolve.live_champion")

LOAD_FAILED = "load_failed"
_RETRY_SECONDS = 60.0


class LiveChampion:
    """Gives each batch one model: the champion at that moment, if it can be loaded and scores."""

    def __init__(self, tables: Tables, registry: Registry) -> None:
        """Keeps where to look; nothing is loaded yet."""
        self._tables, self._registry = tables, registry
        self._good: Scoring | None = None
        self._former: Scoring | None = None
        """What scored before."""
        self._broken: dict[int, float] = {}
        """Version to when it was last tried."""
        self._said = ""

    def current(self) -> Scoring:
        """Looks the champion up once.

        Returns:
            The champion; while it is broken or the registry does not answer, the last good one, and the ledger and the
            log say so.

        Raises:
            ModelError: There is no champion, and none has scored before.
        """
        try:
            champion = self._registry.find(CHAMPION)
        except Exception as error:
            logger.debug("no answer", exc_info=True)
            return self._last_good(f"the registry does not answer ({one_line(error)})", error)
        if champion is None:
            return self._last_good("there is no champion model; run: solosolve run train_model", None)
        if self._good is None or self._good.model_version != champion.version:
            return self._take_up(champion)
        self._said = ""
        return self._good

    def refuse(self, scoring: Scoring, reason: str) -> Scoring:
        """Gives up a model that was taken up and fails on real messages, until the process starts again.

        Returns:
            The model that scored before it. Where there is none the fault may be a message's: the same model, which
            refuses the messages that it fails on.

        Raises:
            ModelError: It does not score the control either.
        """
        version, why = scoring.model_version, f"version {scoring.model_version} cannot score ({reason})"
        if scoring.control is not None:
            raise ModelError(f"{why}, and no other has")
        self._broken[version] = math.inf
        self._good, self._former = self._former or self._latest_that_scored(), None
        if self._good is None:
            logger.warning("%s, and no other has: what it fails on are dead letters", why)
            self._good = refusing(scoring)
            return self._good
        kept = self._last_good(why, None)
        self._record(version, reason, kept)
        return kept

    def _take_up(self, champion: RegisteredModel) -> Scoring:
        version, now = champion.version, time.monotonic()
        is_known = version in self._broken
        if is_known and self._good is not None and now - self._broken[version] < _RETRY_SECONDS:
            return self._good
        try:
            self._good, self._former = load(self._registry, champion), self._good
        except Exception as error:
            logger.debug("version %d cannot be loaded", version, exc_info=True)
            self._broken[version] = now
            kept = self._last_good(f"version {version} cannot score ({one_line(error)})", error)
            if not is_known:
                self._record(version, one_line(error), kept)
            return kept
        logger.info("version %d scores from here on", version)
        return self._good

    def _record(self, version: int, error: str, kept: Scoring) -> None:
        record_event(self._tables, version, LOAD_FAILED, {"error": error, "kept": kept.model_version}, alias=None)

    def _last_good(self, reason: str, cause: Exception | None) -> Scoring:
        if self._good is None:
            self._good = self._latest_that_scored()
        if self._good is None:
            raise ModelError(reason) from cause
        if reason != self._said:
            logger.warning("%s: version %d goes on scoring", reason, self._good.model_version)
            self._said = reason
        return self._good

    def _latest_that_scored(self) -> Scoring | None:
        """After a restart: the version of the newest prediction, of those that are not broken."""
        if not self._tables.exists(PREDICTIONS):
            return None
        by_version = self._tables.read(PREDICTIONS).groupBy("model_version").agg(F.max("scored_at").alias("scored_at"))
        for row in by_version.orderBy(F.desc("scored_at")).collect():
            version = row["model_version"]
            if version in self._broken:
                continue
            try:
                return load(self._registry, self._registry.get(version))
            except ModelError as error:
                logger.warning("version %d, which has scored, cannot be loaded (%s)", version, one_line(error))
        return None


def load(registry: Registry, model: RegisteredModel) -> Scoring:
    """Loads a version and lets it score a made-up complaint.

    Raises:
        ModelError: It cannot be fetched or loaded, does not fit the complaint columns, or gives no probability.
    """
    scorer = ComplaintScorer.load(registry.fetch(model))
    probability = float(scorer.score(_control())[0])
    if not (math.isfinite(probability) and 0 <= probability <= 1):
        raise ModelError(f"version {model.version} gives {probability} for a complaint, expected a probability")
    return Scoring(scorer.score, THRESHOLD, model.name, model.version)


def refusing(scoring: Scoring) -> Scoring:
    """The same model, which refuses the messages that it fails on."""
    return replace(scoring, control=_control())


def _control() -> pa.RecordBatch:
    """A complaint that each model can score."""
    return as_raw_complaints(pa.Table.from_pylist([EXAMPLE]))
