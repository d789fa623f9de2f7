"""What a page asks of a model: which features moved one complaint's probability, and where the model comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from solosolve.storage.passport import Models


class Explainer(Models, Protocol):
    """Explains a probability."""

    def explain(self, complaint: Mapping[str, object], model_version: int) -> list[tuple[str, float]]:
        """Returns the features that moved a complaint's probability.

        Args:
            complaint: The columns that are known when a complaint is filed.
            model_version: The version whose probability is explained.

        Returns:
            Each feature and its effect in log-odds, largest first.

        Raises:
            ModelError: The version cannot be loaded, or cannot score the complaint.
        """
        ...
