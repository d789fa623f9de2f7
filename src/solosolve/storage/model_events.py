"""The events in the life of a model version, as `gold.model_events` names them."""

from __future__ import annotations

from enum import StrEnum


class ModelEvent(StrEnum):
    """What happened to a model version."""

    TRAINED = "trained"
    VALIDATION_PASSED = "validation_passed"
    VALIDATION_PROVISIONAL = "validation_provisional"
    """Does not beat the prior with certainty, but there is no champion."""
    VALIDATION_SHADOW = "validation_shadow"
    """Not certainly better than the champion, but as good as far as can be seen."""
    VALIDATION_REJECTED = "validation_rejected"
    PROMOTED = "promoted"
    PROMOTED_PROVISIONAL = "promoted_provisional"
    """Became champion after a provisional validation."""
    SHADOWED = "shadowed"
    """Scores beside the champion, unseen."""
    PROMOTED_BY_HAND = "promoted_by_hand"
    ROLLED_BACK = "rolled_back"
    """Became champion again, in place of a later version."""
    RETRAIN_CHECKED = "retrain_checked"
    """Whether the champion should be replaced, and why."""
    LOAD_FAILED = "load_failed"
    """The stream cannot score with it."""
