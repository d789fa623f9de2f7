"""Makes a challenger that passed the gate the champion, and notes it in the ledger."""

from __future__ import annotations

import logging

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from solosolve.errors import ModelError
from solosolve.model.version_tags import VersionState
from solosolve.names import CHALLENGER, CHAMPION, MODEL_EVENTS, SHADOW
from solosolve.settings import Settings
from solosolve.storage.champion_moves import complete_move, end_shadow, move_champion
from solosolve.storage.ledger import record_event
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.table_facts import read_or_empty
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
            complete_move(tables, registry, _evidence(challenger))
            _finish(registry, challenger)
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
    # The ledger has it already, if an earlier run was interrupted before it could set the alias.
    moves = read_or_empty(tables, MODEL_EVENTS).where(F.col("alias").isin(CHAMPION, SHADOW))
    newest = moves.orderBy(F.desc("event_at")).select("event", "model_version").limit(1).collect()
    if [tuple(row) for row in newest] != [(ModelEvent.SHADOWED, challenger.version)]:
        evidence = {"validation": str(challenger.tags.subject)}
        record_event(tables, challenger.version, ModelEvent.SHADOWED, evidence, SHADOW)
    registry.set_alias(SHADOW, challenger)
    logger.info("version %d is not certainly better: it scores beside the champion", challenger.version)


def _finish(registry: Registry, champion: RegisteredModel) -> None:
    """Removes the aliases that no longer apply; the challenger's last, by which a next run sees what is left to do."""
    end_shadow(registry)
    registry.delete_alias(CHALLENGER)
    if champion.tags.state == VersionState.PROVISIONAL:
        logger.warning("version %d does not beat the prior: it becomes champion provisionally", champion.version)
