"""Merges new bronze records into silver: typed and labelled, or rejected with the reasons."""

from __future__ import annotations

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import refine_complaints


@task_command("refine_complaints", __doc__)
def command() -> Flow[object]:
    """Takes no options of its own."""
    return refine_complaints.run


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
