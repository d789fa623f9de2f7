"""The fitted features: raw complaint columns to one row of numbers per complaint."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from solosolve.model.feature_kernel import Block
from solosolve.model.kernels import Kernel
from solosolve.model.word_kernels import WordKernel
from solosolve.model.words import Words
from solosolve.names import FILED_COLUMNS

FILED_TYPES: Mapping[str, pa.DataType] = MappingProxyType(
    {name: pa.date32() if name == "date_received" else pa.string() for name in FILED_COLUMNS}
)
"""The Arrow type of each column that is known when a complaint is filed."""

ENCODER_FILE = "features.json"
"""The file of a run or a model version that holds its encoder."""

_ROWS_AT_ONCE = 1024
"""Complaints encoded at a time: few enough that their words and features stay in the processor's cache."""


class FeatureEncoder(BaseModel):
    """The fitted features, without Spark: raw complaint columns in, one float32 row per complaint out."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    kernels: tuple[Kernel, ...]

    @cached_property
    def names(self) -> list[str]:
        """The features' names, in the order of `encode`'s columns."""
        return [name for kernel in self.kernels for name in kernel.names]

    @cached_property
    def inputs(self) -> list[str]:
        """The raw columns that `encode` reads."""
        return list(dict.fromkeys(kernel.column for kernel in self.kernels))

    def word_shares(self, complaint: Mapping[str, object]) -> dict[str, dict[str, float]]:
        """Says which of a complaint's words each feature's value comes from, as `WordKernel.word_shares`."""
        found: dict[str, dict[str, float]] = {}
        for kernel in self.kernels:
            text = complaint.get(kernel.column)
            if isinstance(kernel, WordKernel) and isinstance(text, str):
                found |= kernel.word_shares(text)
        return found

    def encode(self, complaints: pa.RecordBatch) -> Block:
        """Computes the features.

        Args:
            complaints: Raw columns with the types of FILED_TYPES; other columns are ignored.

        Returns:
            float32, shape (rows, len(names)).
        """
        block = np.empty((complaints.num_rows, len(self.names)), np.float32)
        for start in range(0, complaints.num_rows, _ROWS_AT_ONCE):
            some = complaints.slice(start, _ROWS_AT_ONCE)
            np.concatenate(self._blocks(some), axis=1, out=block[start : start + some.num_rows])
        return block

    def _blocks(self, complaints: pa.RecordBatch) -> list[Block]:
        """The blocks of all kernels; each text column is split into words once."""
        words: dict[str, Words] = {}
        blocks = []
        for kernel in self.kernels:
            values = complaints.column(kernel.column)
            if isinstance(kernel, WordKernel):
                if kernel.column not in words:
                    words[kernel.column] = Words.of(values)
                blocks.append(kernel.encode_words(words[kernel.column]))
            else:
                blocks.append(kernel.encode(values))
        return blocks
