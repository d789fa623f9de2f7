"""The plots of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from solosolve.model.evaluation import CalibrationBin
from solosolve.model.metrics import ConfusionMatrix, Floats
from solosolve.names import OUTCOME_NAMES

_CLASSES = (OUTCOME_NAMES[0.0], OUTCOME_NAMES[1.0])


def roc_plot(labels: Floats, probabilities: Floats) -> Figure:
    """Plots the receiver operating characteristic, with the diagonal of a random guess.

    Args:
        labels: 0.0 or 1.0, shape (rows,).
        probabilities: Shape (rows,).
    """
    false_positive_rate, true_positive_rate, _ = roc_curve(labels, probabilities)
    figure, axes = _square("False positive rate", "True positive rate", "ROC on the test split")
    axes.plot(false_positive_rate, true_positive_rate)
    _draw_diagonal(axes)
    return figure


def calibration_plot(bins: Sequence[CalibrationBin]) -> Figure:
    """Plots success rate against mean predicted probability, one point per bin."""
    figure, axes = _square("Mean predicted probability", "Success rate", "Calibration on the test split")
    axes.plot([part.mean_probability for part in bins], [part.success_rate for part in bins], marker="o")
    _draw_diagonal(axes)
    return figure


def confusion_plot(matrix: ConfusionMatrix) -> Figure:
    """Plots counts of actual (rows) against predicted (columns) outcomes."""
    figure, axes = _square("Predicted", "Actual", "Confusion on the test split")
    axes.imshow(matrix, cmap="Blues")
    axes.set_xticks([0, 1], _CLASSES)
    axes.set_yticks([0, 1], _CLASSES)
    for row, counts in enumerate(matrix):
        for column, count in enumerate(counts):
            axes.text(column, row, f"{count:,}", ha="center", va="center")
    return figure


def replay_plot(aucs: Mapping[str, Sequence[float]], promotions: Sequence[int]) -> Figure:
    """Plots the AUC of several models by month, with a line where a version became champion.

    Args:
        aucs: Model to its AUC in months 1, 2, ...
        promotions: The months of promotions.
    """
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel="Month", ylabel="AUC", title="Predictions when they were made, against the true outcomes")
    for name, values in aucs.items():
        axes.plot(range(1, len(values) + 1), values, marker="o", label=name.replace("_", " "))
    for month in promotions:
        axes.axvline(month, linestyle=":", color="grey")
    axes.legend()
    return figure


def _square(x: str, y: str, title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x, ylabel=y, title=title)
    return figure, axes


def _draw_diagonal(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
