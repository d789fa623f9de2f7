"""What a model version was trained on, in counts: what the monitor compares arriving complaints with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from solosolve.model.families import FAMILIES
from solosolve.model.metrics import Floats
from solosolve.transforms.bins import OTHER_BIN, Bins, CategoryBins, NumberBins

REFERENCE_FILE = "reference.json"
"""The file of a training run that holds the version's reference."""

SCORE = "score"
"""The feature name of the probability."""

COMPANY_SIZE, NARRATIVE_LENGTH = "company_size", "narrative_length"

CATEGORIES: Mapping[str, int] = {
    "product": 20,
    "issue": 50,
    "sub_issue": 50,
    "state": 60,
    "submitted_via": 10,
    "tags": 10,
}
"""Text columns that are compared, and how many of their most frequent values have a bin of their own."""

MIN_TRAINED = 30
"""Training complaints that a value needs for a bin of its own: a rarer one would owe it to chance."""

LARGE_COMPANY, MEDIUM_COMPANY = 0.01, 0.001
"""Shares of the training complaints from which a company is large, or medium; all others are small."""

LENGTH_STEP, LONGEST = 10, 19_990
"""Narratives are counted by their length in steps, in characters, and longer ones with the longest."""

_DECILES = tuple(number / 10 for number in range(1, 10))
ValueCounts = Sequence[tuple[str | None, int]]
"""Values and how many complaints have each, most frequent first."""


class CountedBins(BaseModel):
    """A feature's bins and how many complaints of the reference are in each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bins: Bins
    counts: dict[str, int]


class Reference(BaseModel):
    """The training data of a model version in counts.

    Attributes:
        trained_until: The newest day of the complaints that the version was trained or tested on.
        features: The inputs, counted on the training split.
        score: The probability, counted on the validation and test splits: those of the training split are too good.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    trained_until: date
    features: tuple[CountedBins, ...]
    score: CountedBins

    @property
    def all_bins(self) -> list[CategoryBins | NumberBins]:
        """The bins of the features and of the score."""
        return [each.bins for each in (*self.features, self.score)]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Feature to bin to count."""
        return {each.bins.name: each.counts for each in (*self.features, self.score)}

    def bins_of(self, name: str) -> CategoryBins | NumberBins:
        """The bins of one feature."""
        return next(each for each in self.all_bins if each.name == name)


def build_reference(
    values: Mapping[str, ValueCounts], totals: Mapping[str, int], probabilities: Floats, trained_until: date
) -> Reference:
    """Chooses bins and counts the training complaints in them.

    Args:
        values: The most frequent values of `company`, NARRATIVE_LENGTH and each of CATEGORIES.
        totals: Complaints of each, with any value.
        probabilities: Those of the validation and test splits, shape (rows,).
        trained_until: The newest day of all splits.

    Returns:
        The reference.
    """
    categories = [_categories(column, size, values[column]) for column, size in CATEGORIES.items()]
    features = [_counted(bins, values[bins.column], totals[bins.column]) for bins in categories]
    sizes = _company_sizes(values["company"], totals["company"])
    features.append(_counted(sizes, values["company"], totals["company"]))
    return Reference(
        trained_until=trained_until,
        features=(*features, _lengths(values[NARRATIVE_LENGTH])),
        score=_numbers(SCORE, "probability", probabilities, np.ones(len(probabilities), int)),
    )


def _categories(column: str, size: int, values: ValueCounts) -> CategoryBins:
    """The most frequent values; the names of a family are one value."""
    counts = _families(column, values)
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    kept = [name for name in ordered if counts[name] >= MIN_TRAINED][:size]
    renamed = {value: name for value, name in FAMILIES.get(column, {}).items() if name in kept}
    return CategoryBins(name=column, column=column, bin_of={name: name for name in kept} | renamed)


def _company_sizes(values: ValueCounts, total: int) -> CategoryBins:
    size_of = {
        company: "large" if count >= LARGE_COMPANY * total else "medium"
        for company, count in _families("company", values).items()
        if count >= max(MEDIUM_COMPANY * total, MIN_TRAINED)
    }
    renamed = {name: size_of[family] for name, family in FAMILIES["company"].items() if family in size_of}
    return CategoryBins(name=COMPANY_SIZE, column="company", bin_of=size_of | renamed, other="small")


def _families(column: str, values: ValueCounts) -> dict[str, int]:
    """Counts the values that are given, the names of a family together."""
    names, counts = FAMILIES.get(column, {}), dict[str, int]()
    for value, count in values:
        if value is not None:
            family = names.get(value, value)
            counts[family] = counts.get(family, 0) + count
    return counts


def _counted(bins: CategoryBins, values: ValueCounts, total: int) -> CountedBins:
    counts: dict[str, int] = {}
    for value, count in values:
        counts[bins.bin(value)] = counts.get(bins.bin(value), 0) + count
    rest = total - sum(counts.values())
    if rest:
        name = bins.other or OTHER_BIN
        counts[name] = counts.get(name, 0) + rest
    return CountedBins(bins=bins, counts=counts)


def _lengths(values: ValueCounts) -> CountedBins:
    ordered = np.array(sorted((int(value or 0), count) for value, count in values)).reshape(-1, 2)
    return _numbers(NARRATIVE_LENGTH, NARRATIVE_LENGTH, ordered[:, 0].astype(float), ordered[:, 1])


def _numbers(name: str, column: str, values: Floats, counts: Any) -> CountedBins:
    """Bins with a tenth of the complaints each, as far as equal values allow."""
    order = np.argsort(values, kind="stable")
    ranked, reached = values[order], np.cumsum(counts[order])
    total = int(reached[-1])
    places = [int(np.searchsorted(reached, share * total, side="right")) for share in _DECILES]
    edges = sorted({float(ranked[place]) for place in places} - {float(ranked[0])})
    bins = NumberBins(name=name, column=column, edges=tuple(edges))
    found = np.bincount(np.searchsorted(edges, values, side="right"), weights=counts, minlength=len(edges) + 1)
    return CountedBins(bins=bins, counts={str(number): int(count) for number, count in enumerate(found)})
