"""The linear part of a model: a ridge-penalised logistic regression on topics and categories."""

from __future__ import annotations

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from solosolve.model.feature_kernel import Block
from solosolve.model.metrics import Floats


class LinearScore(BaseModel):
    """Adds up weighted features to log-odds.

    Attributes:
        places: The features that it reads, as columns of the encoded block, ascending.
        weights: One per place.
        means: The features' training means, which contributions are relative to.
        intercept: The log-odds of a complaint whose features are all 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    places: tuple[int, ...]
    weights: tuple[float, ...]
    means: tuple[float, ...]
    intercept: float

    @model_validator(mode="after")
    def _require_shapes(self) -> Self:
        if not len(self.places) == len(self.weights) == len(self.means) > 0:
            raise ValueError("linear score: places, weights and means are not equally many, or there are none")
        return self

    def log_odds(self, features: Block) -> Floats:
        """The log-odds of each row of encoded features, shape (rows,). A row's value does not depend on the others."""
        return self.intercept + (self._read(features) * self._weights).sum(axis=1)

    def contributions(self, features: Block) -> tuple[Floats, float]:
        """What each feature adds relative to its mean, shape (rows, features), and the log-odds of the mean."""
        block = np.zeros(features.shape)
        means = np.array(self.means)
        block[:, self._places] = (self._read(features) - means) * self._weights
        return block, self.intercept + float(means @ self._weights)

    def _read(self, features: Block) -> Floats:
        # A copy in row order, so that NumPy adds up each row in the same way whatever the number of rows.
        return np.ascontiguousarray(features[:, self._places], np.float64)

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        return np.array(self.places, np.int64)

    @cached_property
    def _weights(self) -> Floats:
        return np.array(self.weights, np.float64)
