"""The one scorer: raw complaint columns in, probability of success out, for batch, stream and screens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xgboost as xgb
from numpy.typing import NDArray

from solosolve.errors import ModelError
from solosolve.model.encoder import FILED_TYPES, FeatureEncoder
from solosolve.model.kernels import Block

THRESHOLD = 0.5
"""Probability from which a complaint is predicted to be resolved successfully."""

_ENCODER_FILE, _BOOSTER_FILE = "features.json", "trees.ubj"
_INTERCEPT = "(base)"


@dataclass(frozen=True)
class ComplaintScorer:
    """A fitted encoder and the boosted trees behind it.

    Both engines end as one XGBoost `Booster`, so there is one way to score, without a JVM, and exact SHAP values
    (Lundberg et al., TreeSHAP, 2018) come with it.
    """

    encoder: FeatureEncoder
    booster: xgb.Booster

    def score(self, complaints: pa.RecordBatch) -> NDArray[np.float64]:
        """Scores complaints.

        Args:
            complaints: Raw columns, types of FILED_TYPES; further columns are ignored.

        Returns:
            Probabilities, shape (rows,). A row's value does not depend on the rows beside it.

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
        """Says what moved each probability.

        Returns:
            One mapping a row from feature name to its SHAP value in log-odds, largest effect first; `(base)` is the
            average. They add up to the log-odds of the probability.
        """
        features = xgb.DMatrix(self.encoder.encode(self._checked(complaints)))
        names = [*self.encoder.names, _INTERCEPT]
        rows = self.booster.predict(features, pred_contribs=True)
        return [{names[place]: float(row[place]) for place in np.argsort(-np.abs(row), kind="stable")} for row in rows]

    def importances(self) -> dict[str, float]:
        """Each feature's share of the trees' total gain, largest first; features that no tree uses are left out."""
        gains = self.booster.get_score(importance_type="total_gain")
        total = sum(gains.values()) or 1.0
        by_name = {self.encoder.names[int(key.removeprefix("f"))]: gain / total for key, gain in gains.items()}
        return dict(sorted(by_name.items(), key=lambda item: -item[1]))

    def save(self, folder: Path) -> None:
        """Writes the two files of the scorer into an existing folder."""
        (folder / _ENCODER_FILE).write_text(self.encoder.model_dump_json(indent=1), encoding="utf-8")
        self.booster.save_model(folder / _BOOSTER_FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            ModelError: A file is missing or broken, or the trees want other features than the encoder makes.
        """
        try:
            encoder = FeatureEncoder.model_validate_json((folder / _ENCODER_FILE).read_bytes())
            booster = xgb.Booster(params={"nthread": 1}, model_file=folder / _BOOSTER_FILE)
        except (OSError, ValueError, xgb.core.XGBoostError) as error:
            raise ModelError(f"no usable model in {folder}: {str(error).splitlines()[0]}") from error
        if booster.num_features() != len(encoder.names):
            raise ModelError(
                f"the trees in {folder} want {booster.num_features()} features, the encoder makes {len(encoder.names)}"
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
    """Gives the filed columns their types: dates from ISO text, everything else text.

    Raises:
        ModelError: A value is no date.
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
