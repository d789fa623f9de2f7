"""Rebuilds the features of every complaint, fitted on the training split only."""

from __future__ import annotations

import click

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import build_features


@task_command("build_features", __doc__)
@click.option("--feature-set", "feature_set", default="default", show_default=True, help="baseline or default.")
def command(feature_set: str) -> Flow[object]:
    """Takes the feature set."""
    return lambda spark, settings: build_features.run(spark, settings, feature_set)


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
