"""The events in the life of a model version, as `gold.model_events` names them."""

from __future__ import annotations

from enum import StrEnum


class ModelEvent(StrEnum):
    """What happened to a model version."""

    TRAINED = "trained"
    VALIDATION_PASSED = "validation_passed"
    VALIDATION_PROVISIONAL = "validation_provisional"
    """Does not beat the prior with certainty, but there is no champion."""
    VALIDATION_REJECTED = "validation_rejected"
    PROMOTED = "promoted"
    PROMOTED_PROVISIONAL = "promoted_provisional"
    """Became champion after a provisional validation."""
    LOAD_FAILED = "load_failed"
    """The stream cannot score with it."""
