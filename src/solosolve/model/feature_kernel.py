"""What all feature kernels have in common."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Block = NDArray[np.float32]
"""One row per complaint, one column per feature."""


def block_of(lists: pa.ListArray) -> Block:
    """The block that a column of equally long lists of float32 holds, without a copy of the values."""
    block: Block = lists.flatten().to_numpy().reshape(len(lists), -1)
    return block


class FeatureKernel(BaseModel):
    """A fitted, serialisable function from a raw complaint column to a block of numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    column: str

    @property
    def names(self) -> list[str]:
        """The features' names, one per column of the block."""
        raise NotImplementedError

    def encode(self, values: pa.Array) -> Block:
        """Computes the block.

        Args:
            values: The raw column, string, or date32 for dates; nulls are allowed.

        Returns:
            float32, shape (len(values), len(names)), without NaN.
        """
        raise NotImplementedError
