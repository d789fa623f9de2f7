"""Makes a version champion by hand: a named one, or the one before the present champion."""

from __future__ import annotations

import logging

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from solosolve.errors import ModelError, UsageError
from solosolve.names import CHAMPION, MODEL_EVENTS
from solosolve.settings import Settings
from solosolve.storage.champion_moves import (
    ChampionMove,
    complete_move,
    end_shadow,
    move_champion,
    newest_move,
)
from solosolve.storage.champions import champion_to_go_back_to
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables
from solosolve.streaming.champion_provider import load

logger = logging.getLogger("solosolve.move_champion")

LOCK = "promote_model"
"""The name of the task's lock: a promotion moves the same alias."""


def run(spark: SparkSession, settings: Settings, version: int | None, reason: str) -> ChampionMove | None:
    """Moves the alias `champion` without a validation, and records who did it and why in `gold.model_events`.

    A running stream takes it up before its next batch.

    Args:
        spark: The session.
        settings: Locates tables and registry; `actor`.
        version: The version; None for the one that was champion before the present one.
        reason: Why.

    Returns:
        The move; None if the version is champion already.

    Raises:
        UsageError: No reason was given.
        ModelError: The version does not exist or cannot score, or there is nothing to go back to.
    """
    if not reason.strip():
        raise UsageError("--reason: found none, expected why the champion is moved")
    tables, registry = Tables(spark, settings), Registry(settings)
    event = ModelEvent.ROLLED_BACK if version is None else ModelEvent.PROMOTED_BY_HAND
    interrupted = _complete(tables, registry, version, event, reason)
    if interrupted is not None:
        end_shadow(registry)
        logger.info("version %d has become champion in an earlier run, which was interrupted", interrupted.version)
        return interrupted
    champion = registry.find(CHAMPION)
    model = registry.get(_previous(tables, champion) if version is None else version)
    if champion is not None and champion.version == model.version:
        end_shadow(registry)
        logger.info("version %d is champion already", model.version)
        return None
    load(registry, model)
    replaces = champion.version if champion is not None else None
    move = move_champion(tables, registry, model, event, {"reason": reason, "replaces": replaces})
    end_shadow(registry)
    logger.info("version %d is champion in place of %s", model.version, replaces)
    return move


def _complete(
    tables: Tables, registry: Registry, version: int | None, event: ModelEvent, reason: str
) -> ChampionMove | None:
    """Completes this very move, if an earlier run was interrupted in it; so a rollback does not go back twice."""
    move = newest_move(registry)
    is_this = move is not None and move.event == event and version in (None, move.version)
    return complete_move(tables, registry, {"reason": reason}) if is_this else None


def _previous(tables: Tables, champion: RegisteredModel | None) -> int:
    """The version that was champion before the present one and before what it was rolled back from."""
    if champion is None or not tables.exists(MODEL_EVENTS):
        raise ModelError("there is no champion to go back from")
    moves = tables.read(MODEL_EVENTS).where(F.col("alias") == CHAMPION).orderBy("event_at")
    rows = moves.select("model_version", "event").collect()
    earlier = champion_to_go_back_to(((row["model_version"], row["event"]) for row in rows), champion.version)
    if earlier is None:
        raise ModelError(f"version {champion.version} is the only champion so far: there is nothing to go back to")
    return earlier
