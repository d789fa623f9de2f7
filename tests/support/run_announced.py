"""Runs a job file as a program of its own, and prints when its work begins: python run_announced.py check_retrain"""

from __future__ import annotations

import sys
from typing import Any

from run_jobs import main_of

from solosolve.cli import task

BEGUN = "the work begins"


def main() -> None:
    make_session = task.spark_session

    def announced(*arguments: Any) -> Any:
        session = make_session(*arguments)
        sys.stdout.write(f"{BEGUN}\n")
        sys.stdout.flush()
        return session

    task.spark_session = announced
    main_of(sys.argv[1])(sys.argv[2:])


if __name__ == "__main__":
    main()
