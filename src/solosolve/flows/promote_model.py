"""Makes a challenger that passed the gate the champion, and notes it in the ledger."""

from __future__ import annotations

import logging

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from solosolve.errors import ModelError
from solosolve.model.version_tags import VersionState
from solosolve.names import CHALLENGER, CHAMPION, MODEL_EVENTS, SHADOW
from solosolve.settings import Settings
from solosolve.storage.champion_moves import end_shadow, move_champion, newest_move
from solosolve.storage.ledger import record_event
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables

logger = logging.getLogger("solosolve.promote_model")

_OF_CHAMPIONS = (VersionState.PROMOTED, VersionState.PROVISIONAL)


def run(spark: SparkSession, settings: Settings) -> RegisteredModel | None:
    """Promotes the challenger if it passed its validation against the current champion.

    Changes the alias `champion` or, for a challenger that the gate sends into shadow, the alias `shadow`; the
    challenger's tags and `gold.model_events`.

    Args:
        spark: The session.
        settings: Locates tables and registry.

    Returns:
        The new champion; None if nothing was promoted.

    Raises:
        ModelError: The challenger has not been validated against the current champion.
    """
    tables, registry = Tables(spark, settings), Registry(settings)
    challenger, champion = registry.find(CHALLENGER), registry.find(CHAMPION)
    present = champion.version if champion else None
    if challenger is None or challenger.version == present:
        if challenger is not None and challenger.tags.state in _OF_CHAMPIONS:
            # An earlier run was interrupted after it had moved the alias.
            _record_if_missing(tables, registry, challenger)
        logger.info("no challenger to promote")
        return None
    try:
        challenger.tags.require_validated_against(present)
        if challenger.tags.state == VersionState.REJECTED:
            logger.warning("version %d failed its validation and is not promoted", challenger.version)
            return None
        if challenger.tags.state == VersionState.SHADOW:
            _shadow(tables, registry, challenger)
            return None
        challenger = registry.write_tags(challenger, challenger.tags.promoted(present))
    except ModelError as error:
        raise ModelError(f"version {challenger.version} cannot be promoted: {error}") from error
    move = move_champion(tables, registry, challenger, _event(challenger), _evidence(challenger))
    _finish(registry, challenger)
    logger.info("version %d is champion from %s on", move.version, f"{move.effective_at:%H:%M:%S}")
    return challenger


def _event(champion: RegisteredModel) -> ModelEvent:
    is_provisional = champion.tags.state == VersionState.PROVISIONAL
    return ModelEvent.PROMOTED_PROVISIONAL if is_provisional else ModelEvent.PROMOTED


def _evidence(champion: RegisteredModel) -> dict[str, object]:
    return {"replaces": champion.tags.replaces, "validation": str(champion.tags.subject)}


def _shadow(tables: Tables, registry: Registry, challenger: RegisteredModel) -> None:
    """Lets the challenger score beside the champion, in place of an earlier one."""
    shadow = registry.find(SHADOW)
    if shadow is not None and shadow.version == challenger.version:
        return
    record_event(tables, challenger.version, ModelEvent.SHADOWED, {"validation": str(challenger.tags.subject)}, SHADOW)
    registry.set_alias(SHADOW, challenger)
    logger.info("version %d is not certainly better: it scores beside the champion", challenger.version)


def _finish(registry: Registry, champion: RegisteredModel) -> None:
    """Removes the aliases that no longer apply."""
    registry.delete_alias(CHALLENGER)
    end_shadow(registry)
    if champion.tags.state == VersionState.PROVISIONAL:
        logger.warning("version %d does not beat the prior: it becomes champion provisionally", champion.version)


def _record_if_missing(tables: Tables, registry: Registry, champion: RegisteredModel) -> None:
    """Completes a promotion that was interrupted after it had moved the alias."""
    is_this = (F.col("model_version") == champion.version) & (F.col("alias") == CHAMPION)
    if not tables.exists(MODEL_EVENTS) or tables.read(MODEL_EVENTS).where(is_this).isEmpty():
        move = newest_move(registry)
        at = move.effective_at if move is not None and move.version == champion.version else None
        record_event(tables, champion.version, _event(champion), _evidence(champion), alias=CHAMPION, at=at)
    _finish(registry, champion)
