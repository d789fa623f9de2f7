"""Scores every silver complaint that the champion has not scored yet."""

from __future__ import annotations

from collections.abc import Sequence

import click

from solosolve.cli.task import run_task, target_option
from solosolve.exit_codes import run_as_program
from solosolve.flows import score_complaints


@click.command(name="score_complaints")
@target_option
def command(target: str) -> None:
    """Scores every silver complaint that the champion has not scored yet."""
    run_task("score_complaints", target, score_complaints.run)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the task with the words of a command line."""
    command.main(args=argv, standalone_mode=False)


if __name__ == "__main__":
    run_as_program(main)
