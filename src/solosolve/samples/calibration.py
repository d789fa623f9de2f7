"""The measured figures of this package (`*.json`, numbers and category names) as arrays that can be drawn from."""

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
Days = npt.NDArray[np.datetime64]

BELOW_ONE = 1 - 1e-9
"""Keeps `condition + uniform` below the next condition when the sum is rounded."""


def read_figures(name: str) -> dict[str, Any]:
    """Reads one file of figures.

    Args:
        name: The file's stem, such as `calendar`.

    Returns:
        The parsed JSON object; each module of this package turns its own into a frozen dataclass.
    """
    parsed: dict[str, Any] = json.loads(files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return parsed


def as_texts(values: Sequence[str]) -> Texts:
    """Returns the strings as an object array, to be indexed with arrays of codes."""
    texts = np.empty(len(values), dtype=object)
    texts[:] = values
    return texts


@dataclass(frozen=True)
class Conditional:
    """One categorical distribution per condition, ragged, drawn from with one binary search per row.

    `edges` ascends: condition number plus cumulative probability. `codes` has the drawn code of each edge.
    """

    edges: Floats
    codes: Ints

    @classmethod
    def of(cls, distributions: Iterable[tuple[Sequence[int] | Ints, Sequence[float] | Floats]]) -> Self:
        """Builds it from (codes, weights) per condition; a condition without codes can never be drawn from."""
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
    def of_pairs(cls, rows: Iterable[Sequence[float]]) -> Self:
        """Builds it from rows of `code, weight, code, weight, ...`, as the JSON files spell them."""
        return cls.of(([int(code) for code in row[::2]], list(row[1::2])) for row in rows)

    @classmethod
    def of_weights(cls, rows: Iterable[Sequence[float]]) -> Self:
        """Builds it from rows of weights whose codes are 0, 1, 2, ..."""
        return cls.of((range(len(row)), row) for row in rows)

    def draw(self, rng: np.random.Generator, condition: Ints) -> Ints:
        """Draws one code per row, each from its own condition's distribution."""
        uniform = rng.random(len(condition)) * BELOW_ONE
        return self.codes[np.searchsorted(self.edges, condition + uniform, side="right")]


@dataclass(frozen=True)
class Steps:
    """Something that changes on certain days: maps a day to the number of the step it falls into."""

    starts: Days

    @classmethod
    def of(cls, starts: Sequence[str]) -> Self:
        """Builds it from ISO dates, ascending; a day before the first belongs to the first."""
        return cls(np.array(starts, dtype="datetime64[D]"))

    def at(self, days: Days) -> Ints:
        """Returns each day's step, from 0."""
        return np.maximum(np.searchsorted(self.starts, days, side="right") - 1, 0).astype(np.int64)
