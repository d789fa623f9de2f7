"""The promotion gate: a challenger replaces the champion only on evidence, and anything missing says no."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np

from solosolve.errors import ModelError
from solosolve.model.metrics import Evaluation, Floats, bootstrap, measure, require_measurable

AUC_TOLERANCE = 0.01
"""How much worse than the champion's the challenger's AUC may be at the lower end of the paired 95 % interval."""


class Verdict(StrEnum):
    """What validation decided."""

    PASSED = "passed"
    PROVISIONAL = "provisional"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Check:
    """One named condition, what was found and what was required."""

    name: str
    is_passed: bool
    found: float
    required: str


@dataclass(frozen=True)
class Decision:
    """A verdict and the checks behind it."""

    verdict: Verdict
    checks: tuple[Check, ...]

    def to_json(self) -> str:
        """The decision as evidence for the ledger."""
        return json.dumps({"verdict": self.verdict, "checks": [asdict(check) for check in self.checks]})


@dataclass(frozen=True)
class Slice:
    """The frozen slice's labels and the probabilities of both models on it."""

    labels: Floats
    challenger: Floats
    champion: Floats | None
    prior: float


def decide(evaluation: Evaluation, frozen: Slice, rounds: int) -> Decision:
    """Decides whether the challenger may become the champion.

    It must beat the prior: an AUC whose interval lies above 0.5, and a lower log loss than the training rate of
    success, said of everyone. Beside a champion it must also not be worse on the same complaints: AUC and log loss at
    least as good, and the paired 95 % interval of the AUC difference above -AUC_TOLERANCE. The first model has no
    champion to protect: when it does not beat the prior it is provisional.

    Args:
        evaluation: The challenger on the slice.
        frozen: The slice.
        rounds: Bootstrap resamples.

    Returns:
        The decision.

    Raises:
        ModelError: A metric that the gate needs, or a score of the champion's, is missing or not a number.
    """
    checks = _against_prior(evaluation, frozen)
    if frozen.champion is None:
        is_better = all(check.is_passed for check in checks)
        return Decision(Verdict.PASSED if is_better else Verdict.PROVISIONAL, checks)
    checks += _against_champion(evaluation, frozen, frozen.champion, rounds)
    is_better = all(check.is_passed for check in checks)
    return Decision(Verdict.PASSED if is_better else Verdict.REJECTED, checks)


def _against_prior(evaluation: Evaluation, frozen: Slice) -> tuple[Check, ...]:
    auc_low = _required(evaluation, "auc", "low")
    loss = _required(evaluation, "log_loss", "value")
    prior_loss = _prior_log_loss(frozen)
    return (
        Check("auc_beats_chance", auc_low > 0.5, auc_low, "95 % interval above 0.5"),
        Check("log_loss_beats_prior", loss < prior_loss, loss, f"below {prior_loss:.4f}"),
    )


def _against_champion(evaluation: Evaluation, frozen: Slice, champion: Floats, rounds: int) -> tuple[Check, ...]:
    auc, loss = _required(evaluation, "auc", "value"), _required(evaluation, "log_loss", "value")
    require_measurable(frozen.labels, champion)
    incumbent = measure(frozen.labels, champion)
    champion_auc, champion_loss = incumbent["auc"], incumbent["log_loss"]
    both = bootstrap(frozen.labels, {"challenger": frozen.challenger, "champion": champion}, rounds)
    difference_low = float(np.percentile(both["challenger"]["auc"] - both["champion"]["auc"], 2.5))
    return (
        Check("auc_beside_champion", auc >= champion_auc, auc, f"at least the champion's {champion_auc:.4f}"),
        Check("log_loss_beside_champion", loss <= champion_loss, loss, f"at most the champion's {champion_loss:.4f}"),
        Check(
            "auc_difference_interval",
            difference_low > -AUC_TOLERANCE,
            difference_low,
            f"lower end of the 95 % interval above {-AUC_TOLERANCE}",
        ),
    )


def _prior_log_loss(frozen: Slice) -> float:
    if not 0 < frozen.prior < 1:
        raise ModelError(f"the training rate of success is {frozen.prior}: there is no prior to beat")
    return measure(frozen.labels, np.full(len(frozen.labels), frozen.prior))["log_loss"]


def _required(evaluation: Evaluation, metric: str, part: str) -> float:
    if metric not in evaluation.metrics:
        raise ModelError(f"metric {metric} is missing: found {', '.join(evaluation.metrics) or 'none'}")
    value = float(getattr(evaluation.metrics[metric], part))
    if not math.isfinite(value):
        raise ModelError(f"metric {metric} is {value}, not a number to decide on")
    return value
