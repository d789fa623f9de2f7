"""The pictures that go with a training run."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from solosolve.model.metrics import CalibrationBin, Floats

_CLASSES = ("not successful", "successful")


def roc_picture(labels: Floats, probabilities: Floats) -> Figure:
    """Draws the receiver operating characteristic beside chance."""
    false_rate, true_rate, _ = roc_curve(labels, probabilities)
    figure, axes = _square("False positive rate", "True positive rate", "ROC on the test split")
    axes.plot(false_rate, true_rate)
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
    return figure


def calibration_picture(bins: Sequence[CalibrationBin]) -> Figure:
    """Draws what was said against what happened, one point a bin of equal count."""
    figure, axes = _square("Mean predicted probability", "Success rate", "Calibration on the test split")
    axes.plot([part.mean_probability for part in bins], [part.success_rate for part in bins], marker="o")
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
    return figure


def confusion_picture(matrix: Sequence[Sequence[int]]) -> Figure:
    """Draws counts of actual (rows) against predicted (columns) outcomes."""
    figure, axes = _square("Predicted", "Actual", "Confusion on the test split")
    axes.imshow(matrix, cmap="Blues")
    axes.set_xticks([0, 1], _CLASSES)
    axes.set_yticks([0, 1], _CLASSES)
    for row, counts in enumerate(matrix):
        for column, count in enumerate(counts):
            axes.text(column, row, f"{count:,}", ha="center", va="center")
    return figure


def _square(x: str, y: str, title: str):  # type: ignore[no-untyped-def]
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x, ylabel=y, title=title)
    return figure, axes
