"""Dashboards over the warehouse of a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dash import Dash

from solosolve.dashboard.web.access import Access, LoginThrottle
from solosolve.dashboard.web.app import Backend, create_app
from solosolve.dashboard.web.serve import backend_of
from solosolve.errors import ModelError
from solosolve.model.effects import Effect
from solosolve.settings import Settings
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.model_explainer import Explanation, ModelFacts

OPEN = Access(password=None, identity_header=None, is_loopback_only=True, default_user="tester")


class StubExplainer:
    """Explains version 2 with three effects and one that is zero, and knows no other version."""

    def explain(self, complaint: Mapping[str, object], model_version: int) -> Explanation:
        if model_version != 2:
            raise ModelError(f"there is no version {model_version} of complaint_resolution")
        effects = (
            Effect("“payment”", -0.3, "payment"), Effect("product: Mortgage", 0.2), Effect("“lost”", -0.1, "lost"),
            Effect("state: CA", 0.0),
        )  # fmt: skip
        return Explanation(0.6, 0.6, effects)

    def facts(self, model_version: int) -> ModelFacts:
        return ModelFacts("complaint_resolution", model_version, "run", None, None)


def demo_dashboard(home: Path, access: Access = OPEN) -> Dash:
    """A dashboard over a home that has registered models, which explain its predictions."""
    return create_app(backend_of(Settings(home=home)), access)


def dashboard(home: Path, access: Access = OPEN, throttle: LoginThrottle | None = None) -> Dash:
    """A dashboard over a home without models; a stub explains its predictions."""
    settings = Settings(home=home)
    backend = Backend(DeltaReader(settings.warehouse), StubExplainer(), DeltaFeedback(settings), settings)
    return create_app(backend, access, throttle)
