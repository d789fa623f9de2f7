"""Scores requests as they arrive in a Delta table or a Kafka topic, each once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from solosolve.cli.task import flag_option, interval, run_task, target_option
from solosolve.exit_codes import run_as_program
from solosolve.flows import score_stream


@click.command(name="score_stream")
@target_option
@click.option("--source", type=click.Choice(["delta", "kafka"]), default="delta", show_default=True)
@click.option(
    "--starting",
    type=click.Choice(["earliest", "latest"]),
    default="earliest",
    show_default=True,
    help="Where a new stream begins.",
)
@click.option(
    "--trigger", callback=interval, default="0 seconds", show_default=True, help="Least time between two batches."
)
@click.option(
    "--max-per-trigger",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Messages (Kafka) or files (Delta) of a batch at most; 0: no limit.",
)
@flag_option("--available-now", help="End when what is there now has been scored.")
@flag_option("--recover", help="Begin anew from the source's earliest position, skipping what the tables have.")
def command(target: str, **options: Any) -> None:
    """Scores requests as they arrive in a Delta table or a Kafka topic, each once."""
    chosen = score_stream.StreamOptions(**options)
    name = f"score_stream_{chosen.source}"
    run_task(name, target, lambda spark, settings: score_stream.run(spark, settings, chosen))


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the task with the words of a command line."""
    command.main(args=argv, standalone_mode=False)


if __name__ == "__main__":
    run_as_program(main)
