"""What a page asks of a model: what moved one complaint's probability, and where the model comes from."""

from __future__ import annotations

from typing import Protocol

from solosolve.storage.passport import Models


class Explainer(Models, Protocol):
    """Explains a probability."""
