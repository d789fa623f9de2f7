"""Requests scores for the newest complaints of unknown outcome, as if they arrived now."""

from __future__ import annotations

from typing import Any

import click

from solosolve.cli.task import Flow, main_of, source_option, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import request_scores


@task_command("request_scores", __doc__)
@source_option
@click.option(
    "--at-most", type=click.IntRange(min=1), default=5_000, show_default=True, help="Maximum number of requests."
)
def command(**options: Any) -> Flow[object]:
    """Takes the stream's source and the number of requests."""
    return lambda spark, settings: request_scores.run(spark, settings, **options)


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
