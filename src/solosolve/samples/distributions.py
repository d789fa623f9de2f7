"""Distributions to draw from, built from the rates and category names in this package's JSON files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]
Dates = npt.NDArray[np.datetime64]

BELOW_ONE = 1 - 1e-9
"""Scales the uniform draw so that rounding in `condition + uniform` cannot reach the next condition."""


def read_statistics(name: str) -> dict[str, Any]:
    """Reads one JSON file of published statistics.

    Args:
        name: The file's stem, such as `calendar`.

    Returns:
        The parsed object. Each module turns its own file into a frozen dataclass.
    """
    parsed: dict[str, Any] = json.loads(files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return parsed


def as_texts(values: Sequence[str]) -> Texts:
    """Returns the strings as an object array, which an array of codes can index."""
    texts = np.empty(len(values), dtype=object)
    texts[:] = values
    return texts


@dataclass(frozen=True)
class ConditionalDistribution:
    """One categorical distribution per condition, drawn from with one binary search per row.

    The conditions are numbered from 0 and may have different numbers of categories.

    Attributes:
        edges: Condition number plus cumulative probability, ascending; shape (categories of all conditions,).
        codes: The category code drawn at each edge; same shape.
    """

    edges: Floats
    codes: Ints

    @classmethod
    def from_codes(cls, distributions: Iterable[tuple[Sequence[int] | Ints, Sequence[float] | Floats]]) -> Self:
        """Builds the distributions from (codes, weights) per condition; never draw from a condition without codes."""
        edges: list[Floats] = []
        codes: list[Ints] = []
        for condition, (values, weights) in enumerate(distributions):
            if len(values) == 0:
                continue
            cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
            cumulative /= cumulative[-1]
            edges.append(condition + cumulative)
            codes.append(np.asarray(values, dtype=np.int64))
        return cls(np.concatenate(edges), np.concatenate(codes))

    @classmethod
    def from_pairs(cls, rows: Iterable[Sequence[float]]) -> Self:
        """Builds the distributions from rows of `code, weight, code, weight, ...`, the format of the JSON files."""
        return cls.from_codes(([int(code) for code in row[::2]], list(row[1::2])) for row in rows)

    @classmethod
    def from_weights(cls, rows: Iterable[Sequence[float]]) -> Self:
        """Builds the distributions from rows of weights; the codes are 0, 1, 2, ..."""
        return cls.from_codes((range(len(row)), row) for row in rows)

    def draw(self, rng: np.random.Generator, condition: Ints) -> Ints:
        """Draws one code per row, each from the distribution of its condition."""
        uniform = rng.random(len(condition)) * BELOW_ONE
        return self.codes[np.searchsorted(self.edges, condition + uniform, side="right")]


@dataclass(frozen=True)
class DateBins:
    """Consecutive spans of time, such as quarters, numbered from 0. Each ends where the next one starts."""

    starts: Dates

    @classmethod
    def from_starts(cls, starts: Sequence[str]) -> Self:
        """Builds the bins from ascending ISO dates."""
        return cls(np.array(starts, dtype="datetime64[D]"))

    def find(self, dates: Dates) -> Ints:
        """Returns the number of each date's bin; dates before the first start belong to bin 0."""
        return np.maximum(np.searchsorted(self.starts, dates, side="right") - 1, 0).astype(np.int64)


@dataclass(frozen=True)
class StepFunction:
    """A number that changes on certain dates and is constant between them."""

    bins: DateBins
    values: Floats

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str, float]]) -> Self:
        """Builds the function from (ISO date, value from that date on), ascending."""
        starts, values = zip(*rows, strict=True)
        return cls(DateBins.from_starts(starts), np.array(values, dtype=np.float64))

    def at(self, dates: Dates) -> Floats:
        """Returns the value on each date; dates before the first start have the first value."""
        return self.values[self.bins.find(dates)]
