"""The settings of the feedback loop: when to retrain, how to measure, and what needs a person."""

from __future__ import annotations

from pydantic import BaseModel, Field


class LoopSettings(BaseModel):
    """The thresholds by which the loop decides, and by which it raises alerts."""

    retrain_labels: int = Field(default=500, ge=1, description="New labels from which on retraining is due.")
    retrain_days: int = Field(default=180, ge=1, description="Age in days from which on retraining is due.")
    retrain_auc_fall: float = Field(
        default=0.03, ge=0, lt=1, description="Fall of the AUC, beyond its interval, from which on retraining is due."
    )
    retrain_cooldown_days: int = Field(default=7, ge=0, description="Days between two trainings that nobody asked for.")
    audit_share: float = Field(
        default=0.2, ge=0, le=1, description="Share of the review queue that is picked at random, to measure the model."
    )
    second_reading_share: float = Field(
        default=0.05, ge=0, le=1, description="Share of a reviewer's readings that are second, blind readings."
    )
    claim_minutes: float = Field(
        default=10, gt=0, le=1440, description="Minutes for which an open complaint is kept for its reviewer."
    )
    bootstrap_rounds: int = Field(default=300, ge=20, le=10_000, description="Bootstrap resamples per 95 % interval.")
    drift_alarms_per_year: float = Field(
        default=0.5, gt=0, le=5, description="False alarms of drift that a year without change may have on average."
    )
    alert_stream_minutes: int = Field(
        default=10, ge=1, description="Minutes without a batch, while requests wait, from which on a stream is stale."
    )
    alert_hours: int = Field(
        default=24, ge=1, description="Hours for which unreadable messages and quarantined records are an alert."
    )
    alert_dead_letters: int = Field(
        default=1, ge=1, description="Unreadable messages in that time from which on they are an alert."
    )
    alert_quarantined: int = Field(
        default=1, ge=1, description="Quarantined records in that time from which on they are an alert."
    )
