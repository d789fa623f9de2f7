"""The fitted features without Spark: what a registered model carries, and every scorer computes its features with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from solosolve.model.kernels import Block, HashedTerms, Kernel
from solosolve.names import FILED_COLUMNS

FILED_TYPES: Mapping[str, pa.DataType] = MappingProxyType(
    {name: pa.date32() if name == "date_received" else pa.string() for name in FILED_COLUMNS}
)
"""The Arrow type of each column that is known when a complaint is filed."""


class FeatureEncoder(BaseModel):
    """The fitted features without Spark: raw complaint columns in, one float32 row a complaint out."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    kernels: tuple[Kernel, ...]

    @cached_property
    def names(self) -> list[str]:
        """The features' names, in the order of `encode`'s columns."""
        return [name for kernel in self.kernels for name in kernel.names]

    @cached_property
    def inputs(self) -> list[str]:
        """The raw columns that are read."""
        return list(dict.fromkeys(kernel.column for kernel in self.kernels))

    def words_by_feature(self, complaint: Mapping[str, object]) -> dict[str, list[str]]:
        """A complaint's words by the hashed feature that counts them: what makes such a feature readable."""
        found: dict[str, list[str]] = {}
        for kernel in self.kernels:
            text = complaint.get(kernel.column)
            if isinstance(kernel, HashedTerms) and isinstance(text, str):
                found |= kernel.words_by_feature(text)
        return found

    def encode(self, complaints: pa.RecordBatch) -> Block:
        """Computes the features.

        Args:
            complaints: Raw columns with the types of FILED_TYPES; further columns are ignored.

        Returns:
            float32, shape (rows, len(names)).
        """
        blocks = [kernel.encode(complaints.column(kernel.column)) for kernel in self.kernels]
        return np.hstack(blocks)
