"""Fits the features on the training split and writes them for every silver complaint to gold."""

from __future__ import annotations

from collections.abc import Sequence

import click

from solosolve.cli.task import run_task, target_option
from solosolve.exit_codes import run_as_program
from solosolve.flows import build_features


@click.command(name="build_features")
@target_option
@click.option("--feature-set", default="default", show_default=True, help="baseline or default.")
def command(target: str, feature_set: str) -> None:
    """Fits the features on the training split and writes them for every silver complaint to gold."""
    run_task("build_features", target, lambda spark, settings: build_features.run(spark, settings, feature_set))


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the task with the words of a command line."""
    command.main(args=argv, standalone_mode=False)


if __name__ == "__main__":
    run_as_program(main)
