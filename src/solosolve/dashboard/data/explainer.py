"""What a page asks of a model: which features moved one complaint's probability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Explainer(Protocol):
    """Says what moved a probability."""

    def explain(self, complaint: Mapping[str, object], model_version: int) -> list[tuple[str, float]]:
        """The features that moved a complaint's probability.

        Args:
            complaint: The filed columns.
            model_version: Whose probability.

        Returns:
            Feature and its effect in log-odds, largest first.

        Raises:
            ModelError: The version cannot be had, or cannot score the complaint.
        """
        ...
