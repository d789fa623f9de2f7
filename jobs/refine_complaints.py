"""Merges new bronze records into silver: typed, labelled, in scope, or rejected with reasons."""

from __future__ import annotations

from collections.abc import Sequence

import click

from solosolve.cli.task import run_task, target_option
from solosolve.exit_codes import run_as_program
from solosolve.flows import refine_complaints


@click.command(name="refine_complaints")
@target_option
def command(target: str) -> None:
    """Merges new bronze records into silver: typed, labelled, in scope, or rejected with reasons."""
    run_task("refine_complaints", target, refine_complaints.run)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the task with the words of a command line."""
    command.main(args=argv, standalone_mode=False)


if __name__ == "__main__":
    run_as_program(main)
