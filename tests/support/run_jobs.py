"""Runs job files one after another in one session, as a program of its own:

python run_jobs.py '[["ingest_complaints", "--source", "a.csv"], ["refine_complaints"]]'
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

JOBS = Path(__file__).parents[2] / "jobs"


def main_of(name: str) -> Callable[[Sequence[str]], None]:
    """The main function of a job file."""
    spec = importlib.util.spec_from_file_location(name, JOBS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    main: Callable[[Sequence[str]], None] = module.main
    return main


def main() -> None:
    for name, *arguments in json.loads(sys.argv[1]):
        main_of(name)(arguments)


if __name__ == "__main__":
    main()
