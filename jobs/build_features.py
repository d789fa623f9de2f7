"""Rebuilds the features of every complaint, fitted on the training split only."""

from __future__ import annotations

import click

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import build_features


@task_command("build_features", __doc__)
@click.option("--feature-set", "feature_set", default="default", show_default=True, help="baseline or default.")
@click.option(
    "--window-days",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Days before the newest labelled one whose labels are used; 0 for all.",
)
@click.option(
    "--holdout-labels",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Labelled complaints that validate, and test, have at most; 0 for a fifth of all.",
)
def command(feature_set: str, window_days: int, holdout_labels: int) -> Flow[object]:
    """Takes the feature set, and what is used of a long history."""
    return lambda spark, settings: build_features.run(spark, settings, feature_set, window_days, holdout_labels)


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
