"""The one scorer: raw complaint columns in, probability of success out, for batch, stream and dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xgboost as xgb
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from solosolve.errors import ModelError
from solosolve.model.kernels import Block, HashedTerms, Kernel
from solosolve.names import FILED_COLUMNS

FILED_TYPES: Mapping[str, pa.DataType] = MappingProxyType(
    {name: pa.date32() if name == "date_received" else pa.string() for name in FILED_COLUMNS}
)
"""The Arrow type of each column that is known when a complaint is filed."""

ENCODER_FILE, _BOOSTER_FILE = "features.json", "trees.ubj"
INTERCEPT = "(base)"
"""The name under which `explain` gives the average, which is no feature."""


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

    def words_by_feature(self, complaint: Mapping[str, object]) -> dict[str, list[str]]:
        """Groups a complaint's words by the hashed feature that counts them, which makes the feature readable."""
        found: dict[str, list[str]] = {}
        for kernel in self.kernels:
            text = complaint.get(kernel.column)
            if isinstance(kernel, HashedTerms) and isinstance(text, str):
                found |= kernel.words_by_feature(text)
        return found

    def encode(self, complaints: pa.RecordBatch) -> Block:
        """Computes the features.

        Args:
            complaints: Raw columns with the types of FILED_TYPES; other columns are ignored.

        Returns:
            float32, shape (rows, len(names)).
        """
        return np.hstack([kernel.encode(complaints.column(kernel.column)) for kernel in self.kernels])


@dataclass(frozen=True)
class ComplaintScorer:
    """A fitted encoder and the boosted trees that read its features.

    Both training engines end as one XGBoost `Booster`, so there is one way to score. It needs no JVM, and exact SHAP
    values (Lundberg et al., TreeSHAP, 2018) come with it.
    """

    encoder: FeatureEncoder
    booster: xgb.Booster

    def score(self, complaints: pa.RecordBatch) -> NDArray[np.float64]:
        """Scores complaints.

        Args:
            complaints: Raw columns with the types of FILED_TYPES; other columns are ignored.

        Returns:
            Probabilities, shape (rows,). A row's value does not depend on the other rows.

        Raises:
            ModelError: A column that the features need is missing or has another type.
        """
        return self.score_features(self.encoder.encode(self._checked(complaints)))

    def score_features(self, features: Block) -> NDArray[np.float64]:
        """Scores rows of encoded features, shape (rows, len(encoder.names)), to probabilities, shape (rows,)."""
        if len(features) == 0:
            return np.empty(0)
        return self.booster.inplace_predict(features).astype(np.float64)

    def explain(self, complaints: pa.RecordBatch) -> list[dict[str, float]]:
        """Attributes each probability to the features.

        Args:
            complaints: As for `score`.

        Returns:
            For each row, feature name to SHAP value in log-odds, largest effect first; INTERCEPT is the average.
            The values add up to the log-odds of the probability.

        Raises:
            ModelError: A column that the features need is missing or has another type.
        """
        features = xgb.DMatrix(self.encoder.encode(self._checked(complaints)))
        names = [*self.encoder.names, INTERCEPT]
        rows = self.booster.predict(features, pred_contribs=True)
        return [{names[place]: float(row[place]) for place in np.argsort(-np.abs(row), kind="stable")} for row in rows]

    def importances(self) -> dict[str, float]:
        """Each feature's share of the trees' total gain, largest first, without the features that no tree uses."""
        gains = self.booster.get_score(importance_type="total_gain")
        total = sum(gains.values()) or 1.0
        by_name = {self.encoder.names[int(key.removeprefix("f"))]: gain / total for key, gain in gains.items()}
        return dict(sorted(by_name.items(), key=lambda item: -item[1]))

    def save(self, folder: Path) -> None:
        """Writes the scorer's two files into an existing folder."""
        (folder / ENCODER_FILE).write_text(self.encoder.model_dump_json(indent=1), encoding="utf-8")
        self.booster.save_model(folder / _BOOSTER_FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            ModelError: A file is missing or broken, or encoder and trees do not have the same number of features.
        """
        try:
            encoder = FeatureEncoder.model_validate_json((folder / ENCODER_FILE).read_bytes())
            booster = xgb.Booster(params={"nthread": 1}, model_file=folder / _BOOSTER_FILE)
        except (OSError, ValueError, xgb.core.XGBoostError) as error:
            raise ModelError(f"cannot load a model from {folder}: {str(error).splitlines()[0]}") from error
        if booster.num_features() != len(encoder.names):
            raise ModelError(
                f"cannot load the model in {folder}: {_BOOSTER_FILE} expects {booster.num_features()} features, but "
                f"{ENCODER_FILE} makes {len(encoder.names)}"
            )
        return cls(encoder, booster)

    def _checked(self, complaints: pa.RecordBatch) -> pa.RecordBatch:
        for name in self.encoder.inputs:
            position = complaints.schema.get_field_index(name)
            found = complaints.schema.field(position).type if position >= 0 else "no such column"
            if found != FILED_TYPES[name]:
                raise ModelError(f"column {name}: found {found}, the model needs {FILED_TYPES[name]}")
        return complaints


def as_raw_complaints(complaints: pa.Table) -> pa.RecordBatch:
    """Casts the filed columns to FILED_TYPES, dates from ISO text, and drops all other columns.

    Raises:
        ModelError: A value cannot be cast.
    """
    try:
        columns = {
            name: pc.cast(complaints.column(name), kind).combine_chunks()
            for name, kind in FILED_TYPES.items()
            if name in complaints.column_names
        }
    except pa.ArrowInvalid as error:
        raise ModelError(f"a complaint column has a value of the wrong type: {error}") from error
    return pa.RecordBatch.from_pydict(columns)
