"""The feature kernels: fitted, serialisable functions from a raw complaint column to a block of numbers.

Training, batch and stream all compute their features with these kernels, so equal input gives equal bits.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from solosolve.model.feature_kernel import Block, FeatureKernel
from solosolve.model.word_kernels import HashedTerms, TextTopics
from solosolve.names import OTHER_CATEGORY


class TextLength(FeatureKernel):
    """Number of characters of the text."""

    kind: Literal["text_length"] = "text_length"

    @property
    def names(self) -> list[str]:
        """One feature."""
        return ["narrative_length"]

    def encode(self, values: pa.Array) -> Block:
        """0 for null."""
        return _column(pc.fill_null(pc.utf8_length(values), 0))


class TopCategories(FeatureKernel):
    """One-hot encoding of the most frequent values; all others and null are `Other`.

    Attributes:
        categories: The values that have a feature.
        renamed: Values that count as another one.
    """

    kind: Literal["top_categories"] = "top_categories"
    categories: tuple[str, ...]
    renamed: dict[str, str] = Field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """One feature per category, `Other` last."""
        return [f"{self.column}={category}" for category in (*self.categories, OTHER_CATEGORY)]

    def encode(self, values: pa.Array) -> Block:
        """Each row has exactly one 1."""
        known = pa.array(self.categories, pa.string())
        if self.renamed:
            place = pc.index_in(values, value_set=pa.array(list(self.renamed), pa.string()))
            values = pc.coalesce(pa.array(list(self.renamed.values()), pa.string()).take(place), values)
        codes = pc.fill_null(pc.index_in(values, value_set=known), len(known)).to_numpy()
        block = np.zeros((len(values), len(known) + 1), np.float32)
        block[np.arange(len(values)), codes] = 1
        return block


class MonthOfYear(FeatureKernel):
    """The calendar month, 1 to 12."""

    kind: Literal["month_of_year"] = "month_of_year"

    @property
    def names(self) -> list[str]:
        """One feature."""
        return [f"{self.column}_month"]

    def encode(self, values: pa.Array) -> Block:
        """0 for null."""
        return _column(pc.fill_null(pc.month(values), 0))


class TextPattern(FeatureKernel):
    """Number of matches of a regular expression (RE2) in the text, without overlaps."""

    kind: Literal["text_pattern"] = "text_pattern"
    name: str
    pattern: str

    @property
    def names(self) -> list[str]:
        """One feature."""
        return [self.name]

    def encode(self, values: pa.Array) -> Block:
        """0 for null."""
        return _column(pc.fill_null(pc.count_substring_regex(values, self.pattern), 0))


Kernel = Annotated[
    TextLength | HashedTerms | TextTopics | TopCategories | MonthOfYear | TextPattern, Field(discriminator="kind")
]


def _column(values: pa.Array) -> Block:
    return values.to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, 1)
