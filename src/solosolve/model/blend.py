"""From the log-odds of a model's parts to a probability and a prediction, fitted on the validation split."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from solosolve.model.metrics import Floats
from solosolve.names import THRESHOLD

EXPECTED_LINEAR, EXPECTED_TREES = 0.75, 0.25
"""The weights that are expected without any evidence: with few complaints, the linear score is the better part."""

WEIGHT_SPREAD = 0.25
"""How far a weight may be from the expected one (standard deviation): a few hundred complaints move it little."""


class Blend(BaseModel):
    """Weighs the parts (stacked generalisation: Wolpert, 1992), which also calibrates them (Platt, 1999).

    Attributes:
        linear: The weight of the linear score; 0 without one.
        trees: The weight of the trees.
        intercept: Shifts all probabilities, for example to a success rate that has risen since the training.
        threshold: Probability from which success is predicted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    linear: float = Field(default=0.0, ge=0)
    trees: float = Field(default=1.0, ge=0)
    intercept: float = 0.0
    threshold: float = Field(default=THRESHOLD, ge=0, le=1)

    @classmethod
    def fit(cls, labels: Floats, linear: Floats | None, trees: Floats, review_share: float) -> Self:
        """Fits the weights by penalised maximum likelihood, and the threshold to how many complaints people can read.

        Args:
            labels: 0.0 or 1.0, shape (rows,).
            linear: Log-odds of the linear score, shape (rows,); None without one.
            trees: Log-odds of the trees, shape (rows,).
            review_share: The share, from 0 to 1, of these complaints to predict as failures: those least likely to
                succeed.

        Returns:
            The blend. On the rows that it was fitted on, its probabilities are better calibrated than on others.
        """
        from scipy.optimize import minimize  # takes a third of a second to import

        parts = np.column_stack([np.zeros(len(labels)) if linear is None else linear, trees])
        expected = np.array([0.0, 1.0] if linear is None else [EXPECTED_LINEAR, EXPECTED_TREES])

        def loss(line: Floats) -> float:
            margin = parts @ line[:2] + line[2]
            likelihood = np.logaddexp(0, np.where(labels == 1, -margin, margin)).sum()
            return float(likelihood + ((line[:2] - expected) ** 2).sum() / (2 * WEIGHT_SPREAD**2))

        found = minimize(loss, np.array([*expected, 0.0]), bounds=[(0, None), (0, None), (None, None)])
        weights = dict(zip(("linear", "trees", "intercept"), map(float, found.x), strict=True))
        blend = cls(**weights)
        probability = blend.probability(linear, trees)
        return blend.model_copy(update={"threshold": _threshold(probability, review_share)})

    def probability(self, linear: Floats | None, trees: Floats) -> Floats:
        """The probability of success for the parts' log-odds, of the same shape."""
        log_odds = self.trees * trees + self.intercept
        if linear is not None:
            log_odds = log_odds + self.linear * linear
        probability: Floats = np.exp(-np.logaddexp(0, -log_odds))
        return probability


def _threshold(probability: Floats, review_share: float) -> float:
    """The thousandth below which the share of probabilities is nearest to the one wanted, the lower one of two.

    A round number, because the dashboard counts probabilities by thousandths and people have to say it. Probabilities
    that are equal, as those of a few trees are, fall on the same side.
    """
    thousandths = np.arange(1, 1000) / 1000
    shares = np.searchsorted(np.sort(probability), thousandths) / len(probability)
    return float(thousandths[np.argmin(np.abs(shares - review_share))])
