"""The promotion gate: a challenger replaces the champion only on evidence, and missing evidence stops it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from solosolve.errors import ModelError
from solosolve.model.evaluation import Evaluation, bootstrap, require_measurable
from solosolve.model.metrics import Floats, measure
from solosolve.model.surprise import SURPRISE_LIMIT, contradicts, surprise

AUC_TOLERANCE = 0.01
"""How far below the champion's AUC the lower end of the paired 95 % interval may reach."""

NOISE_BUDGET = 0.02
"""The chance that any challenger of one champion, however many there are, is promoted without being better."""

CALIBRATION_LIMIT = 0.05
"""The calibration error that a challenger may have, unless the champion's is larger."""

SEGMENT_ROWS, SEGMENT_TOLERANCE = 200, 0.03
"""Segments of the slice with at least so many complaints; how far the log loss may rise there above the champion's."""


class GateResult(StrEnum):
    """How the gate decided on a challenger."""

    PASSED = "passed"
    PROVISIONAL = "provisional"
    SHADOW = "shadow"
    """Does no harm as far as can be seen, but is not certainly better, or only by labels that may be wrong: it scores
    beside the champion, unseen."""
    REJECTED = "rejected"


@dataclass(frozen=True)
class Check:
    """One named condition: what was found, and what was required."""

    name: str
    is_passed: bool
    found: float
    required: str


@dataclass(frozen=True)
class Decision:
    """The gate's result and the checks that led to it."""

    result: GateResult
    checks: tuple[Check, ...]

    def to_json(self) -> str:
        """The decision as evidence for the ledger, with `verdict` as the result's key."""
        return json.dumps({"verdict": self.result, "checks": [asdict(check) for check in self.checks]})


@dataclass(frozen=True)
class EvaluationSlice:
    """The complaints that both models are compared on.

    Attributes:
        labels: 0.0 or 1.0, shape (rows,).
        challenger: The challenger's probabilities, shape (rows,).
        champion: The champion's; None without a champion.
        prior: Success rate of the challenger's training split.
        segments: Name to which rows belong to it, each of shape (rows,).
        tries: How many other challengers the gate has compared with this champion.
        earlier: Labels and the champion's probabilities of as many complaints from just before the slice; they are
            needed only if the labels of the slice contradict the champion.
    """

    labels: Floats
    challenger: Floats
    champion: Floats | None
    prior: float
    segments: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    tries: int = 0
    earlier: tuple[Floats, Floats] | None = None


def decide(evaluation: Evaluation, frozen: EvaluationSlice, rounds: int) -> Decision:
    """Decides whether the challenger may become the champion.

    It must beat the prior: the interval of its AUC lies above 0.5, and its log loss is lower than that of predicting
    the training success rate for every complaint. The first model has no champion to protect: if it does not beat the
    prior, it is provisional.

    If there is a champion, no harm may be visible on the same complaints: the paired 95 % interval of the AUC
    difference stays above -AUC_TOLERANCE, the calibration error within CALIBRATION_LIMIT, and the log loss of no
    segment rises by more than SEGMENT_TOLERANCE. And the challenger must be better with certainty: the k-th challenger
    of a champion is tested for a lower log loss at the level NOISE_BUDGET / (k (k + 1)), and these levels add up to
    NOISE_BUDGET (alpha spending: Foster and Stine, 2008). One that does no harm and whose log loss is not higher, but
    that is not certainly better, goes into shadow.

    So does one that is better by labels that suddenly contradict the champion: they may be wrong, and a challenger that
    has learned from them would look better on them. A change of the world lasts: once the labels before the slice
    contradict the champion too, it counts.

    Args:
        evaluation: The challenger's quality on the slice.
        frozen: The slice.
        rounds: Bootstrap resamples.

    Returns:
        The decision.

    Raises:
        ModelError: A metric that the gate needs, or one of the champion's scores, is missing or not a number.
    """
    checks = _against_prior(evaluation, frozen)
    if frozen.champion is None:
        is_better = all(check.is_passed for check in checks)
        return Decision(GateResult.PASSED if is_better else GateResult.PROVISIONAL, checks)
    harm, gain = _against_champion(evaluation, frozen, frozen.champion, rounds)
    lasting = _lasting(frozen, frozen.champion)
    is_safe = all(check.is_passed for check in (*checks, *harm))
    if is_safe and gain.is_passed and lasting.is_passed:
        result = GateResult.PASSED
    elif is_safe and gain.found >= -gain.margin:
        result = GateResult.SHADOW
    else:
        result = GateResult.REJECTED
    return Decision(result, (*checks, *harm, lasting, gain.check))


def _against_prior(evaluation: Evaluation, frozen: EvaluationSlice) -> tuple[Check, ...]:
    auc_low = _required(evaluation, "auc", "low")
    loss = _required(evaluation, "log_loss", "value")
    prior_loss = _prior_log_loss(frozen)
    return (
        Check("auc_beats_chance", auc_low > 0.5, auc_low, "95 % interval above 0.5"),
        Check("log_loss_beats_prior", loss < prior_loss, loss, f"below {prior_loss:.4f}"),
    )


@dataclass(frozen=True)
class _Gain:
    """How much lower the challenger's log loss certainly is: the lower end of its interval, and its half-width."""

    found: float
    margin: float
    level: float

    @property
    def is_passed(self) -> bool:
        return self.found > 0

    @property
    def check(self) -> Check:
        required = f"lower end of the interval at level {self.level:.2g} above 0"
        return Check("log_loss_gain", self.is_passed, self.found, required)


def _against_champion(
    evaluation: Evaluation, frozen: EvaluationSlice, probabilities: Floats, rounds: int
) -> tuple[tuple[Check, ...], _Gain]:
    """The checks for harm, and the gain."""
    require_measurable(frozen.labels, probabilities)
    _required(evaluation, "auc", "value")
    champion = measure(frozen.labels, probabilities)
    both = bootstrap(frozen.labels, {"challenger": frozen.challenger, "champion": probabilities}, rounds)
    difference_low = float(np.percentile(both["challenger"]["auc"] - both["champion"]["auc"], 2.5))
    error = _required(evaluation, "calibration_error", "value")
    limit = max(CALIBRATION_LIMIT, champion["calibration_error"])
    checks = (
        Check(
            "auc_difference_interval",
            difference_low > -AUC_TOLERANCE,
            difference_low,
            f"lower end of the 95 % interval above {-AUC_TOLERANCE}",
        ),
        Check("calibration_error", error <= limit, error, f"at most {limit:.4f}"),
        *_floors(frozen, probabilities),
    )
    gains = both["champion"]["log_loss"] - both["challenger"]["log_loss"]
    number = frozen.tries + 1
    level = NOISE_BUDGET / (number * (number + 1))
    # The resamples give the spread, and the normal distribution its tail: 300 of them say nothing about the 1000th.
    margin = float(ndtri(1 - level) * gains.std())
    gain = champion["log_loss"] - _required(evaluation, "log_loss", "value")
    return checks, _Gain(gain - margin, margin, level)


def _lasting(frozen: EvaluationSlice, champion: Floats) -> Check:
    """Whether the labels are what the champion expects, or have contradicted it for a while."""
    found = surprise(frozen.labels, champion)
    has_lasted = (
        frozen.earlier is not None and contradicts(*frozen.earlier) and (surprise(*frozen.earlier) > 0) == (found > 0)
    )
    return Check(
        "labels_as_expected",
        has_lasted or not contradicts(frozen.labels, champion),
        found,
        f"within {SURPRISE_LIMIT:g} standard errors of the champion's probabilities, or as far off just before",
    )


def _floors(frozen: EvaluationSlice, probabilities: Floats) -> Iterator[Check]:
    """One check per segment that is large enough to be measured."""
    for name, rows in sorted(frozen.segments.items()):
        if rows.sum() < SEGMENT_ROWS:
            continue
        losses = (_mean_log_loss(frozen.labels[rows], each[rows]) for each in (frozen.challenger, probabilities))
        rise = next(losses) - next(losses)
        yield Check(f"segment {name}", rise <= SEGMENT_TOLERANCE, rise, f"log loss at most {SEGMENT_TOLERANCE} higher")


def _mean_log_loss(labels: Floats, probabilities: Floats) -> float:
    likely = np.clip(np.where(labels == 1, probabilities, 1 - probabilities), 1e-15, 1)
    return float(-np.log(likely).mean())


def _prior_log_loss(frozen: EvaluationSlice) -> float:
    if not 0 < frozen.prior < 1:
        raise ModelError(f"cannot validate the model: its training success rate is {frozen.prior}, not between 0 and 1")
    return measure(frozen.labels, np.full(len(frozen.labels), frozen.prior))["log_loss"]


def _required(evaluation: Evaluation, metric: str, part: str) -> float:
    if metric not in evaluation.metrics:
        found = ", ".join(evaluation.metrics) or "none"
        raise ModelError(f"cannot validate the model: metric {metric} is missing, found {found}")
    value = float(getattr(evaluation.metrics[metric], part))
    if not math.isfinite(value):
        raise ModelError(f"cannot validate the model: metric {metric} is {value}, not a finite number")
    return value
