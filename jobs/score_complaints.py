"""Scores every silver complaint that the champion has not scored yet."""

from __future__ import annotations

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import score_complaints


@task_command("score_complaints", __doc__)
def command() -> Flow[object]:
    """Takes no options of its own."""
    return score_complaints.run


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
