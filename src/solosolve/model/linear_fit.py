"""Fits the linear score of a model on the driver, on a bounded number of training rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from sklearn.linear_model import LogisticRegression

from solosolve.model.encoder import FeatureEncoder
from solosolve.model.feature_kernel import Block, block_of
from solosolve.model.kernels import TopCategories
from solosolve.model.linear import LinearScore
from solosolve.model.metrics import Floats
from solosolve.model.word_kernels import TextTopics
from solosolve.names import LABEL

LINEAR_ROWS = 200_000
"""Training rows, at most: some 300 features of them take up to 1.4 GB while they are fitted, and more rows change none
of the weights much."""

PENALTIES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Inverse strengths of the penalty to choose from (scikit-learn's C)."""

TREES_ONLY = frozenset({"state", "sub_issue", "sub_product", "tags"})
"""Columns that the linear score leaves to the trees: their many values add more noise than signal."""


def fit_linear(train: DataFrame, validate: DataFrame, encoder: FeatureEncoder) -> LinearScore | None:
    """Fits a ridge-penalised logistic regression on topics and categories.

    The weights of a company's or an issue's category are its success rate, shrunk towards the average of all by how few
    complaints there are, and adjusted for the other features.

    Args:
        train: `complaint_id`, `features` ARRAY<FLOAT> and the label DOUBLE, none null; rows in any order.
        validate: The same for later complaints, on which the penalty with the lowest log loss is chosen.
        encoder: The encoder that computed the features.

    Returns:
        The score, equal for equal rows, whatever their order; None if there are no topics or categories.
    """
    places = _places(encoder)
    if not places:
        return None
    rows, later = _collect(train, places), _collect(validate, places)
    tried = [_fit(rows, places, penalty) for penalty in PENALTIES]
    return min(tried, key=lambda score: _log_loss(score, later))


@dataclass(frozen=True)
class _Rows:
    """The features at some places, shape (rows, places), and the labels, shape (rows,)."""

    features: Block
    labels: Floats


def _places(encoder: FeatureEncoder) -> list[int]:
    """The columns of the block that topics and categories fill."""
    ends = accumulate(len(kernel.names) for kernel in encoder.kernels)
    return [
        place
        for kernel, end in zip(encoder.kernels, ends, strict=True)
        if isinstance(kernel, TextTopics | TopCategories) and kernel.column not in TREES_ONLY
        for place in range(end - len(kernel.names), end)
    ]


def _collect(rows: DataFrame, places: Sequence[int]) -> _Rows:
    """Brings the columns at the places to the driver."""

    def cut(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            features = block_of(batch.column("features"))[:, places]
            lists = pa.FixedSizeListArray.from_arrays(np.ascontiguousarray(features).reshape(-1), len(places))
            yield batch.set_column(2, "features", lists.cast(pa.list_(pa.float32())))

    schema = f"complaint_id bigint, {LABEL} double, features array<float>"
    narrow = rows.select("complaint_id", LABEL, "features").mapInArrow(cut, schema)
    # Ordered by a hash, the rows are the same however they are stored.
    table = narrow.orderBy(F.xxhash64("complaint_id")).limit(LINEAR_ROWS).toArrow().sort_by("complaint_id")
    return _Rows(block_of(table.column("features").combine_chunks()), np.asarray(table.column(LABEL)))


def _fit(rows: _Rows, places: Sequence[int], penalty: float) -> LinearScore:
    fitted = LogisticRegression(C=penalty, max_iter=1000).fit(rows.features, rows.labels)
    return LinearScore(
        places=tuple(places),
        weights=tuple(fitted.coef_[0].tolist()),
        means=tuple(rows.features.mean(axis=0, dtype=np.float64).tolist()),
        intercept=float(fitted.intercept_[0]),
    )


def _log_loss(score: LinearScore, rows: _Rows) -> float:
    log_odds = score.intercept + rows.features.astype(np.float64) @ np.array(score.weights)
    return float(np.logaddexp(0, np.where(rows.labels == 1, -log_odds, log_odds)).mean())
