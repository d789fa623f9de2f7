"""Makes a challenger that passed its validation the champion."""

from __future__ import annotations

from collections.abc import Sequence

import click

from solosolve.cli.task import run_task, target_option
from solosolve.exit_codes import run_as_program
from solosolve.flows import promote_model


@click.command(name="promote_model")
@target_option
def command(target: str) -> None:
    """Makes a challenger that passed its validation the champion."""
    run_task("promote_model", target, promote_model.run)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the task with the words of a command line."""
    command.main(args=argv, standalone_mode=False)


if __name__ == "__main__":
    run_as_program(main)
