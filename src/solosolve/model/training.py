"""From features to a scorer."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from solosolve.model.blend import EXPECTED_LINEAR, EXPECTED_TREES, WEIGHT_SPREAD, Blend
from solosolve.model.encoder import FeatureEncoder
from solosolve.model.estimators import Engine
from solosolve.model.evaluation_data import collect_log_odds
from solosolve.model.linear_fit import PENALTIES, TREES_ONLY
from solosolve.model.metrics import Floats
from solosolve.model.scorer import ComplaintScorer, Formula
from solosolve.names import LABEL, TRAIN, VALIDATE

FIXED = (PENALTIES, sorted(TREES_ONLY), EXPECTED_LINEAR, EXPECTED_TREES, WEIGHT_SPREAD)
"""What a fitted scorer depends on besides its data and the engine's parameters."""


def fit_scorer(
    chosen: Engine, features: DataFrame, encoder: FeatureEncoder, review_share: float
) -> tuple[ComplaintScorer, pa.Table]:
    """Fits a scorer: its parts on the training split, and how they are blended on the validation split.

    Args:
        chosen: The engine.
        features: Rows of `gold.complaint_features` that train, validate or test.
        encoder: The encoder that computed the features.
        review_share: The share of complaints that people can read, from 0 to 1.

    Returns:
        The scorer, and `complaint_id`, `split`, the label and `probability` of all rows.
    """
    train, validate = (features.where(F.col("split") == split) for split in (TRAIN, VALIDATE))
    fitted = chosen.fit(train, validate, encoder)
    parts = collect_log_odds(features, ComplaintScorer(encoder, fitted.booster, Formula(linear=fitted.linear)))
    later = parts.filter(pc.equal(parts.column("split"), VALIDATE))
    blend = Blend.fit(np.asarray(later.column(LABEL)), *_log_odds(later), review_share)
    scorer = ComplaintScorer(encoder, fitted.booster, Formula(linear=fitted.linear, blend=blend))
    probability = pa.array(blend.probability(*_log_odds(parts)))
    return scorer, parts.select(["complaint_id", "split", LABEL]).append_column("probability", probability)


def _log_odds(parts: pa.Table) -> tuple[Floats | None, Floats]:
    linear, trees = parts.column("linear"), np.asarray(parts.column("trees"))
    return None if linear.null_count else np.asarray(linear), trees


def labels_and_probabilities(scored: pa.Table, split: str) -> tuple[Floats, Floats]:
    """The labels and probabilities of the rows of a split that `fit_scorer` returned."""
    rows = scored.filter(pc.equal(scored.column("split"), split))
    return np.asarray(rows.column(LABEL)), np.asarray(rows.column("probability"))
