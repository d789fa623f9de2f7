"""Brings observed outcomes into silver.feedback, each event once: from files or the feedback topic."""

from __future__ import annotations

import click

from solosolve.cli.task import Flow, flag_option, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import ingest_feedback


@task_command("ingest_feedback", __doc__)
@click.option(
    "--source",
    required=True,
    help="A file of events, a folder or a glob; kafka for the feedback topic; or none.",
)
@flag_option("--recover", help="Read the topic again from its earliest position, skipping events in the table.")
def command(source: str, recover: bool) -> Flow[object]:
    """Takes the source."""
    return lambda spark, settings: ingest_feedback.run(spark, settings, source, recover=recover)


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
