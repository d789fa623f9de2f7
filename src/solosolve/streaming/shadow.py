"""Scores a stream's batches with the challenger in shadow, apart from what the stream promises."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from pyspark.sql import DataFrame

from solosolve.errors import one_line
from solosolve.names import SHADOW, SHADOW_PREDICTIONS
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables, Transaction
from solosolve.streaming.champion_provider import load
from solosolve.transforms.predictions import Scoring
from solosolve.transforms.scored_messages import Stamp, score_messages, select_predictions

logger = logging.getLogger("solosolve.shadow")

LOOK_SECONDS = 30.0
"""Seconds between two looks for a challenger in shadow."""


class ShadowScorer:
    """Writes what the challenger in shadow says of each batch to `gold.shadow_predictions`, once per batch.

    Whatever goes wrong is logged and never reaches the stream.
    """

    def __init__(self, tables: Tables, registry: Registry, clock: Callable[[], float] = time.monotonic) -> None:
        """Looks for nothing yet."""
        self._tables, self._registry, self._clock = tables, registry, clock
        self._scoring: Scoring | None = None
        self._looked_at: float | None = None

    def score(self, messages: DataFrame, stamp: Stamp, transaction: Transaction) -> None:
        """Scores a batch whose predictions have been committed.

        Args:
            messages: The batch's messages.
            stamp: What its predictions share.
            transaction: The name of the batch's commits; the commit here has one of its own.
        """
        try:
            scoring = self._current()
            if scoring is None:
                return
            scored = score_messages(messages, scoring, stamp, self._tables.settings.max_request_bytes)
            own = Transaction(f"{transaction.application}_shadow", transaction.version)
            self._tables.append(SHADOW_PREDICTIONS, select_predictions(scored), own)
        except Exception as error:  # noqa: BLE001 - nothing here may stop the stream
            logger.warning("the challenger in shadow did not score a batch: %s", one_line(error))

    def _current(self) -> Scoring | None:
        if self._looked_at is not None and self._clock() - self._looked_at < LOOK_SECONDS:
            return self._scoring
        self._looked_at = self._clock()
        shadow: RegisteredModel | None = self._registry.find(SHADOW)
        if shadow is None:
            self._scoring = None
        elif self._scoring is None or self._scoring.model_version != shadow.version:
            self._scoring = load(self._registry, shadow)
            logger.info("version %d scores in shadow from now on", shadow.version)
        return self._scoring
