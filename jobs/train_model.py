"""Fits boosted trees on gold and registers them as the challenger."""

from __future__ import annotations

import click

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import train_model


@task_command("train_model", __doc__)
@click.option("--engine", default="xgboost", show_default=True, help="gbt, xgboost or both.")
def command(engine: str) -> Flow[object]:
    """Takes the engine that fits the trees."""
    return lambda spark, settings: train_model.run(spark, settings, engine)


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
