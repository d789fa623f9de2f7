"""Lands complaint files (CSV, .gz, .zip), or the raw topic, in bronze; what has been landed adds nothing."""

from __future__ import annotations

from collections.abc import Sequence

import click

from solosolve.cli.task import flag_option, run_task, target_option
from solosolve.exit_codes import run_as_program
from solosolve.flows import ingest_complaints


@click.command(name="ingest_complaints")
@target_option
@click.option("--source", required=True, help="A complaint file, a folder or a glob; or kafka, the raw topic.")
@flag_option("--recover", help="Read the topic from its earliest position again, skipping what bronze has.")
def command(target: str, source: str, recover: bool) -> None:
    """Lands complaint files (CSV, .gz, .zip), or the raw topic, in bronze; what has been landed adds nothing."""
    run_task(
        "ingest_complaints",
        target,
        lambda spark, settings: ingest_complaints.run(spark, settings, source, recover=recover),
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the task with the words of a command line."""
    command.main(args=argv, standalone_mode=False)


if __name__ == "__main__":
    run_as_program(main)
