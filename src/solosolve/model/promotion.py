"""The promotion gate: a challenger replaces the champion only on evidence, and missing evidence stops it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np

from solosolve.errors import ModelError
from solosolve.model.evaluation import Evaluation, bootstrap, require_measurable
from solosolve.model.metrics import Floats, measure

AUC_TOLERANCE = 0.01
"""How far below the champion's AUC the lower end of the paired 95 % interval may reach."""


class GateResult(StrEnum):
    """How the gate decided on a challenger."""

    PASSED = "passed"
    PROVISIONAL = "provisional"
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
    """

    labels: Floats
    challenger: Floats
    champion: Floats | None
    prior: float


def decide(evaluation: Evaluation, frozen: EvaluationSlice, rounds: int) -> Decision:
    """Decides whether the challenger may become the champion.

    It must beat the prior: the interval of its AUC lies above 0.5, and its log loss is lower than that of predicting
    the training success rate for every complaint. If there is a champion, the challenger must also be at least as good
    on the same complaints: in AUC, in log loss, and with the paired 95 % interval of the AUC difference above
    -AUC_TOLERANCE. The first model has no champion to protect: if it does not beat the prior, it is provisional.

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
    checks += _against_champion(evaluation, frozen, frozen.champion, rounds)
    is_better = all(check.is_passed for check in checks)
    return Decision(GateResult.PASSED if is_better else GateResult.REJECTED, checks)


def _against_prior(evaluation: Evaluation, frozen: EvaluationSlice) -> tuple[Check, ...]:
    auc_low = _required(evaluation, "auc", "low")
    loss = _required(evaluation, "log_loss", "value")
    prior_loss = _prior_log_loss(frozen)
    return (
        Check("auc_beats_chance", auc_low > 0.5, auc_low, "95 % interval above 0.5"),
        Check("log_loss_beats_prior", loss < prior_loss, loss, f"below {prior_loss:.4f}"),
    )


def _against_champion(
    evaluation: Evaluation, frozen: EvaluationSlice, probabilities: Floats, rounds: int
) -> tuple[Check, ...]:
    auc, loss = _required(evaluation, "auc", "value"), _required(evaluation, "log_loss", "value")
    require_measurable(frozen.labels, probabilities)
    champion = measure(frozen.labels, probabilities)
    both = bootstrap(frozen.labels, {"challenger": frozen.challenger, "champion": probabilities}, rounds)
    difference_low = float(np.percentile(both["challenger"]["auc"] - both["champion"]["auc"], 2.5))
    return (
        Check("auc_not_below_champion", auc >= champion["auc"], auc, f"at least the champion's {champion['auc']:.4f}"),
        Check(
            "log_loss_not_above_champion",
            loss <= champion["log_loss"],
            loss,
            f"at most the champion's {champion['log_loss']:.4f}",
        ),
        Check(
            "auc_difference_interval",
            difference_low > -AUC_TOLERANCE,
            difference_low,
            f"lower end of the 95 % interval above {-AUC_TOLERANCE}",
        ),
    )


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
