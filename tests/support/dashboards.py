"""A dashboard over a warehouse of a test's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dash import Dash

from solosolve.dashboard.web.app import Sources, create_app
from solosolve.dashboard.web.security import Access
from solosolve.dashboard.web.serve import sources_of
from solosolve.errors import ModelError
from solosolve.settings import Settings
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.delta_reader import DeltaReader

OPEN = Access(password=None, identity_header=None, only_here=True, actor="tester")


class Explained:
    """Says that two features moved a probability; of another version than 2, that there is none."""

    def explain(self, complaint: Mapping[str, object], model_version: int) -> list[tuple[str, float]]:
        if model_version != 2:
            raise ModelError(f"there is no version {model_version} of complaint_resolution")
        return [("words: payment, lost", -0.4), ("product: Mortgage", 0.2), ("(base)", 0.9)]


def demo_dashboard(home: Path, access: Access = OPEN) -> Dash:
    """Over a home with models, which explain."""
    return create_app(sources_of(Settings(home=home)), access)


def dashboard(home: Path, access: Access = OPEN) -> Dash:
    settings = Settings(home=home)
    return create_app(Sources(DeltaReader(settings.warehouse), Explained(), DeltaFeedback(settings)), access)
