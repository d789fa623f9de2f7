"""What the review room works with: the tables, the log of verdicts, the claims, and its rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.claims import Claims
from solosolve.settings import Settings
from solosolve.storage.feedback import FeedbackLog


@dataclass(frozen=True)
class ReviewRules:
    """How complaints are chosen for review; the defaults are those of the settings.

    Attributes:
        audit_share: Share of the queue that is picked at random.
        second_reading_share: Share of a reviewer's readings that are second readings of complaints judged by others.
        claim_minutes: Minutes that an open complaint is kept for its reviewer.
    """

    audit_share: float = 0.2
    second_reading_share: float = 0.05
    claim_minutes: float = 10

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Returns the rules that the settings state."""
        return cls(settings.audit_share, settings.second_reading_share, settings.claim_minutes)


@dataclass(frozen=True)
class ReviewDesk:
    """The review room's surroundings.

    Attributes:
        answers: Where the queue, the complaints and the verdicts are read.
        log: Where verdicts are recorded.
        claims: Who is reading what.
        rules: How complaints are chosen.
    """

    answers: Answers
    log: FeedbackLog
    claims: Claims
    rules: ReviewRules
