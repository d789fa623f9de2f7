"""Scores requests as they arrive in a Delta table or a Kafka topic, each exactly once."""

from __future__ import annotations

from typing import Any

import click

from solosolve.cli.task import Flow, flag_option, interval, main_of, source_option, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import score_stream


@task_command("score_stream", __doc__, lock=score_stream.LOCK)
@source_option
@click.option(
    "--starting",
    type=click.Choice(["earliest", "latest"]),
    default="earliest",
    show_default=True,
    help="Where a new stream begins.",
)
@click.option(
    "--trigger", callback=interval, default="0 seconds", show_default=True, help="Minimum time between two batches."
)
@click.option(
    "--max-per-trigger",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Maximum number of messages (Kafka) or files (Delta) per batch; 0 for no limit.",
)
@flag_option("--available-now", help="Stop after scoring what was waiting at the start.")
@flag_option("--recover", help="Start over from the source's earliest position, skipping what the tables have.")
def command(**options: Any) -> Flow[object]:
    """Takes the options of the stream."""
    return lambda spark, settings: score_stream.run(spark, settings, score_stream.StreamOptions(**options))


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
