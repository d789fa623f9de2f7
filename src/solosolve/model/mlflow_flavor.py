"""The scorer as MLflow's `pyfunc` flavour: complaint columns as text in, probability and prediction out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa

from solosolve.model.scorer import ComplaintScorer, as_raw_complaints


class PyfuncScorer:
    """The scorer with the `predict` method that MLflow calls."""

    def __init__(self, scorer: ComplaintScorer) -> None:
        """Keeps the scorer."""
        self._scorer = scorer

    def predict(self, model_input: pd.DataFrame, params: dict[str, object] | None = None) -> pd.DataFrame:
        """Scores complaints.

        Args:
            model_input: One complaint per row, the filed columns as text, dates as YYYY-MM-DD.
            params: Ignored; MLflow passes it.

        Returns:
            `probability` and `prediction` DOUBLE, one row per complaint, with the index of the input.

        Raises:
            ModelError: A column is missing, or a date is not valid.
        """
        complaints = as_raw_complaints(pa.Table.from_pandas(model_input, preserve_index=False))
        probabilities = self._scorer.score(complaints)
        return pd.DataFrame(
            {"probability": probabilities, "prediction": (probabilities >= self._scorer.threshold).astype(float)},
            index=model_input.index,
        )


def _load_pyfunc(path: str) -> PyfuncScorer:
    """Loads the scorer from a folder; MLflow looks this function up by name in the loader module."""
    return PyfuncScorer(ComplaintScorer.load(Path(path)))
