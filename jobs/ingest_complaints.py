"""Lands complaint files (CSV, .gz, .zip) in bronze; content that has been landed adds nothing."""

from __future__ import annotations

from collections.abc import Sequence

import click

from solosolve.edge import run_as_program
from solosolve.flows import ingest_complaints
from solosolve.flows.task import run_task, target_option


@click.command(name="ingest_complaints")
@target_option
@click.option("--source", required=True, help="A complaint file, a folder or a glob.")
def command(target: str, source: str) -> None:
    """Lands complaint files (CSV, .gz, .zip) in bronze; content that has been landed adds nothing."""
    run_task("ingest_complaints", target, lambda spark, settings: ingest_complaints.run(spark, settings, source))


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the task with the words of a command line."""
    command.main(args=argv, standalone_mode=False)


if __name__ == "__main__":
    run_as_program(main)
