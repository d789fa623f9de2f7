"""Moves the champion alias to a challenger that passed, and writes the ledger."""

from __future__ import annotations

import logging

from pyspark.sql import SparkSession

from solosolve.adapters.registry import RegisteredModel, Registry
from solosolve.adapters.tables import Tables
from solosolve.errors import ModelError
from solosolve.flows.ledger import record_event
from solosolve.flows.validate_model import SUBJECT_TAG, VERDICT_TAG
from solosolve.model.promotion import Verdict
from solosolve.names import CHALLENGER, CHAMPION
from solosolve.settings import Settings

logger = logging.getLogger("solosolve.promote_model")

STANDING_TAG = "standing"
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
        logger.info("no challenger to promote")
        return None
    verdict = _verdict(challenger, champion)
    if verdict == Verdict.REJECTED:
        logger.warning("version %d was rejected by its validation and is not promoted", challenger.version)
        return None
    standing = PROVISIONAL if verdict == Verdict.PROVISIONAL else "established"
    registry.tag(challenger, STANDING_TAG, standing)
    registry.set_alias(CHAMPION, challenger)
    event = "promoted_provisional" if standing == PROVISIONAL else "promoted"
    evidence = {"replaces": champion.version if champion else None, "validation": challenger.tags[SUBJECT_TAG]}
    record_event(tables, challenger.version, event, evidence, alias=CHAMPION)
    registry.delete_alias(CHALLENGER)
    if standing == PROVISIONAL:
        logger.warning("version %d does not beat the prior: it is champion provisionally", challenger.version)
    return challenger


def _verdict(challenger: RegisteredModel, champion: RegisteredModel | None) -> Verdict:
    found = challenger.tags.get(VERDICT_TAG)
    beside = f"champion {champion.version if champion else 'none'} "
    if found not in set(Verdict) or not challenger.tags.get(SUBJECT_TAG, "").startswith(beside):
        raise ModelError(
            f"version {challenger.version} has no validation beside {beside.strip()}: run validate_model first"
        )
    return Verdict(found)
