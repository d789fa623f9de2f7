"""Puts the newest complaints of unknown outcome on the stream's source, as if they arrived now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import click

from solosolve.cli.task import run_task, target_option
from solosolve.exit_codes import run_as_program
from solosolve.flows import request_scores


@click.command(name="request_scores")
@target_option
@click.option("--source", type=click.Choice(["delta", "kafka"]), default="delta", show_default=True)
@click.option("--at-most", type=click.IntRange(min=1), default=5_000, show_default=True, help="Requests at most.")
def command(target: str, source: Literal["delta", "kafka"], at_most: int) -> None:
    """Puts the newest complaints of unknown outcome on the stream's source, as if they arrived now."""
    run_task("request_scores", target, lambda spark, settings: request_scores.run(spark, settings, source, at_most))


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the task with the words of a command line."""
    command.main(args=argv, standalone_mode=False)


if __name__ == "__main__":
    run_as_program(main)
