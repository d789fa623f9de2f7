"""Runs job files one after another in one session, as a program of its own:

python run_jobs.py '[["ingest_complaints", "--source", "a.csv"], ["refine_complaints"]]'
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

JOBS = Path(__file__).parents[2] / "jobs"


def main() -> None:
    for name, *arguments in json.loads(sys.argv[1]):
        spec = importlib.util.spec_from_file_location(name, JOBS / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.main(arguments)


if __name__ == "__main__":
    main()
