"""What MLflow loads of a registered model: complaint columns as text in, probability and prediction out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa

from solosolve.model.scorer import THRESHOLD, ComplaintScorer, as_raw_complaints


class ServedModel:
    """The scorer behind MLflow's `predict`."""

    def __init__(self, scorer: ComplaintScorer) -> None:
        """Keeps the scorer."""
        self._scorer = scorer

    def predict(self, model_input: pd.DataFrame, params: dict[str, object] | None = None) -> pd.DataFrame:
        """Scores complaints.

        Args:
            model_input: One complaint a row, the filed columns as text, dates as YYYY-MM-DD.
            params: Not used; MLflow passes it.

        Returns:
            `probability` and `prediction` DOUBLE, one row a complaint.

        Raises:
            ModelError: A column is missing or a date is none.
        """
        complaints = as_raw_complaints(pa.Table.from_pandas(model_input, preserve_index=False))
        probabilities = self._scorer.score(complaints)
        return pd.DataFrame(
            {"probability": probabilities, "prediction": (probabilities >= THRESHOLD).astype(float)},
            index=model_input.index,
        )


def _load_pyfunc(path: str) -> ServedModel:
    return ServedModel(ComplaintScorer.load(Path(path)))
