"""Merges small files, and deletes files that no table has had for some time."""

from __future__ import annotations

import click

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import maintain_tables


@task_command("maintain_tables", __doc__)
@click.option(
    "--retention-hours",
    type=click.IntRange(min=0),
    default=maintain_tables.RETENTION_HOURS,
    show_default=True,
    help="Hours for which a file that a table no longer has can still be read.",
)
def command(retention_hours: int) -> Flow[object]:
    """Takes the retention."""
    return lambda spark, settings: maintain_tables.run(spark, settings, retention_hours)


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
