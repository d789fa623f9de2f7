"""When a champion should be replaced: a decision with reasons, from what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class RetrainLimits:
    """From when on retraining is due.

    Attributes:
        new_labels: Labels that have come since the champion was trained.
        age_days: Days since then, if any label has come.
        auc_fall: How far the AUC of the newest window may fall below that of the test split, beyond its interval.
        cooldown_days: Days after a training before anything but a person makes the next one due.
    """

    new_labels: int
    age_days: int
    auc_fall: float
    cooldown_days: int


@dataclass(frozen=True)
class ChampionFacts:
    """What is known of a champion.

    Attributes:
        trained_at: When it was trained; None if it was trained elsewhere.
        new_label_count: Labels that have come since.
        tried_at: When a challenger was last trained; None if none was.
        drifted: The features, or `score`, that have drifted in the newest window.
        auc_expected: Its AUC on the test split of its training; None if unknown.
        auc_high: Upper end of the 95 % interval of its AUC in the newest window; None if there are too few labels.
        is_forced: Whether a person asks for retraining.
    """

    trained_at: datetime | None
    new_label_count: int
    tried_at: datetime | None = None
    drifted: tuple[str, ...] = ()
    auc_expected: float | None = None
    auc_high: float | None = None
    is_forced: bool = False


@dataclass(frozen=True)
class RetrainDecision:
    """Whether retraining is due, and every reason for it or against it."""

    is_due: bool
    reasons: tuple[str, ...]


def decide_retraining(facts: ChampionFacts, limits: RetrainLimits, now: datetime) -> RetrainDecision:
    """Decides whether to train a challenger.

    Without a single new label it is never due, unless a person asks: the same labels give the same model.

    Args:
        facts: What is known of the champion.
        limits: From when on retraining is due.
        now: The present instant.

    Returns:
        The decision.
    """
    if facts.is_forced:
        return RetrainDecision(True, ("asked for by hand",))
    if facts.new_label_count == 0:
        return RetrainDecision(False, ("no new labels",))
    last = max((at for at in (facts.trained_at, facts.tried_at) if at is not None), default=None)
    if last is not None and now < (rest := last + timedelta(days=limits.cooldown_days)):
        return RetrainDecision(False, (f"trained on {last:%Y-%m-%d}, cooling down until {rest:%Y-%m-%d}",))
    reasons = tuple(_reasons(facts, limits, now))
    return RetrainDecision(bool(reasons), reasons or (f"{facts.new_label_count} new labels, nothing else has changed",))


def _reasons(facts: ChampionFacts, limits: RetrainLimits, now: datetime) -> list[str]:
    reasons = []
    if facts.new_label_count >= limits.new_labels:
        reasons.append(f"{facts.new_label_count} new labels, due from {limits.new_labels}")
    age = (now - facts.trained_at).days if facts.trained_at is not None else None
    if age is not None and age >= limits.age_days:
        reasons.append(f"{age} days old, due from {limits.age_days}")
    if facts.drifted:
        reasons.append(f"drift of {', '.join(facts.drifted)}")
    fallen = fall_of_auc(facts.auc_expected, facts.auc_high, limits.auc_fall)
    return reasons if fallen is None else [*reasons, fallen]


def fall_of_auc(expected: float | None, high: float | None, limit: float) -> str | None:
    """How far the AUC has fallen, in words; None if it has not, or if that is unknown.

    Args:
        expected: The AUC on the test split.
        high: Upper end of the 95 % interval of the AUC in the newest window.
        limit: How far that end may lie below `expected`.
    """
    if expected is None or high is None or high >= (lowest := expected - limit):
        return None
    return f"AUC at most {high:.3f}, expected at least {lowest:.3f}"
