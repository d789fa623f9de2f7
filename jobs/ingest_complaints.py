"""Lands complaint files, plain or packed, or the raw topic in bronze; landing them again adds nothing."""

from __future__ import annotations

import click

from solosolve.cli.task import Flow, flag_option, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import ingest_complaints


@task_command("ingest_complaints", __doc__)
@click.option("--source", required=True, help="A complaint file, a folder or a glob, or kafka for the raw topic.")
@flag_option("--recover", help="Read the topic again from its earliest position, skipping messages in bronze.")
@flag_option("--complete", help="The files are whole: a last record without a line end counts.")
def command(source: str, recover: bool, complete: bool) -> Flow[object]:
    """Takes the source."""
    options = {"recover": recover, "is_complete": complete}
    return lambda spark, settings: ingest_complaints.run(spark, settings, source, **options)


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
