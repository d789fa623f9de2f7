"""Makes a challenger that passed the gate the champion, and notes it in the ledger."""

from __future__ import annotations

import logging

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from solosolve.errors import ModelError
from solosolve.model.version_tags import VersionState
from solosolve.names import CHALLENGER, CHAMPION, MODEL_EVENTS
from solosolve.settings import Settings
from solosolve.storage.ledger import record_event
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables

logger = logging.getLogger("solosolve.promote_model")

_OF_CHAMPIONS = (VersionState.PROMOTED, VersionState.PROVISIONAL)


def run(spark: SparkSession, settings: Settings) -> RegisteredModel | None:
    """Promotes the challenger if it passed its validation against the current champion.

    Changes the alias `champion`, the challenger's tags and `gold.model_events`.

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
            _finish(tables, registry, challenger)
        logger.info("no challenger to promote")
        return None
    try:
        challenger.tags.require_validated_against(present)
        if challenger.tags.state == VersionState.REJECTED:
            logger.warning("version %d failed its validation and is not promoted", challenger.version)
            return None
        challenger = registry.write_tags(challenger, challenger.tags.promoted(present))
    except ModelError as error:
        raise ModelError(f"version {challenger.version} cannot be promoted: {error}") from error
    registry.set_alias(CHAMPION, challenger)
    promoted = registry.champion()
    if promoted.version != challenger.version:
        raise ModelError(f"version {challenger.version} was made champion, but the registry names {promoted.version}")
    _finish(tables, registry, promoted)
    return promoted


def _finish(tables: Tables, registry: Registry, champion: RegisteredModel) -> None:
    """Records the promotion in the ledger unless it is already recorded, and removes the alias `challenger`."""
    tags, is_provisional = champion.tags, champion.tags.state == VersionState.PROVISIONAL
    is_this = (F.col("model_version") == champion.version) & (F.col("alias") == CHAMPION)
    if not tables.exists(MODEL_EVENTS) or tables.read(MODEL_EVENTS).where(is_this).isEmpty():
        event = ModelEvent.PROMOTED_PROVISIONAL if is_provisional else ModelEvent.PROMOTED
        evidence = {"replaces": tags.replaces, "validation": str(tags.subject)}
        record_event(tables, champion.version, event, evidence, alias=CHAMPION)
    registry.delete_alias(CHALLENGER)
    if is_provisional:
        logger.warning("version %d does not beat the prior: it becomes champion provisionally", champion.version)
