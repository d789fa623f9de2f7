"""Moves the champion alias to a challenger that passed, and writes the ledger."""

from __future__ import annotations

import logging

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from solosolve.errors import ModelError
from solosolve.flows.validate_model import SUBJECT_TAG, VERDICT_TAG
from solosolve.model.promotion import Verdict
from solosolve.names import CHALLENGER, CHAMPION, MODEL_EVENTS
from solosolve.settings import Settings
from solosolve.storage.ledger import record_event
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables

logger = logging.getLogger("solosolve.promote_model")

STANDING_TAG, REPLACES_TAG = "standing", "replaces"
PROVISIONAL = "provisional"
"""Value of the standing tag of a champion that did not beat the prior; other champions are `established`."""


def run(spark: SparkSession, settings: Settings) -> RegisteredModel | None:
    """Promotes the challenger when its validation beside the present champion says so.

    Args:
        spark: The session.
        settings: Where tables and registry are.

    Returns:
        The new champion; None when nothing was promoted.

    Raises:
        ModelError: The challenger was not validated, or beside another champion than the present one.
    """
    tables, registry = Tables(spark, settings), Registry(settings)
    challenger, champion = registry.find(CHALLENGER), registry.find(CHAMPION)
    if challenger is None or (champion is not None and challenger.version == champion.version):
        if champion is not None and challenger is not None and REPLACES_TAG in champion.tags:
            # An earlier run stopped behind the alias's move: what it left is done now.
            _close(tables, registry, champion)
        logger.info("no challenger to promote")
        return None
    verdict = _verdict(challenger, champion)
    if verdict == Verdict.REJECTED:
        logger.warning("version %d was rejected by its validation and is not promoted", challenger.version)
        return None
    standing = PROVISIONAL if verdict == Verdict.PROVISIONAL else "established"
    registry.tag(challenger, STANDING_TAG, standing)
    registry.tag(challenger, REPLACES_TAG, str(champion.version) if champion else "")
    registry.set_alias(CHAMPION, challenger)
    promoted = registry.find(CHAMPION)
    if promoted is None or promoted.version != challenger.version:
        raise ModelError(f"version {challenger.version} was made champion, but the registry names {promoted}")
    _close(tables, registry, promoted)
    return promoted


def _close(tables: Tables, registry: Registry, champion: RegisteredModel) -> None:
    """Writes the promotion to the ledger, unless it is there, and takes the challenger's alias away."""
    is_provisional = champion.tags[STANDING_TAG] == PROVISIONAL
    is_this = (F.col("model_version") == champion.version) & (F.col("alias") == CHAMPION)
    if not tables.exists(MODEL_EVENTS) or tables.read(MODEL_EVENTS).where(is_this).isEmpty():
        event = "promoted_provisional" if is_provisional else "promoted"
        replaces = champion.tags[REPLACES_TAG]
        evidence = {"replaces": int(replaces) if replaces else None, "validation": champion.tags[SUBJECT_TAG]}
        record_event(tables, champion.version, event, evidence, alias=CHAMPION)
    registry.delete_alias(CHALLENGER)
    if is_provisional:
        logger.warning("version %d does not beat the prior: it is champion provisionally", champion.version)


def _verdict(challenger: RegisteredModel, champion: RegisteredModel | None) -> Verdict:
    found = challenger.tags.get(VERDICT_TAG)
    beside = f"champion {champion.version if champion else 'none'} "
    if found not in set(Verdict) or not challenger.tags.get(SUBJECT_TAG, "").startswith(beside):
        raise ModelError(
            f"version {challenger.version} has no validation beside {beside.strip()}: run validate_model first"
        )
    return Verdict(found)
