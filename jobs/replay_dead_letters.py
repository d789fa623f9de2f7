"""Scores dead letters again: all of them, or those that a file corrects."""

from __future__ import annotations

from pathlib import Path

import click

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import replay_dead_letters


@task_command("replay_dead_letters", __doc__)
@click.option(
    "--corrected",
    default="",
    help="A file of corrected letters, as JSON: objects with letter_id and value. Without it, all are replayed as "
    "they are.",
)
def command(corrected: str) -> Flow[object]:
    """Takes the file of corrected letters."""
    values = replay_dead_letters.read_corrected(Path(corrected)) if corrected else None
    return lambda spark, settings: replay_dead_letters.run(spark, settings, values)


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
