"""Fits boosted trees on gold and registers them as the challenger."""

from __future__ import annotations

from collections.abc import Sequence

import click

from solosolve.cli.task import run_task, target_option
from solosolve.exit_codes import run_as_program
from solosolve.flows import train_model


@click.command(name="train_model")
@target_option
@click.option("--engine", default="xgboost", show_default=True, help="gbt or xgboost.")
def command(target: str, engine: str) -> None:
    """Fits boosted trees on gold and registers them as the challenger."""
    run_task("train_model", target, lambda spark, settings: train_model.run(spark, settings, engine))


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the task with the words of a command line."""
    command.main(args=argv, standalone_mode=False)


if __name__ == "__main__":
    run_as_program(main)
