"""Where the bundle is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

MAIN_FILE = "databricks.yml"


def find_bundle(start: Path | None = None) -> Path | None:
    """Finds the folder that holds `databricks.yml`.

    Args:
        start: Where to begin; the working folder when None.

    Returns:
        The first of `start`, its parents, the running job's folder and the checkout that has the file; None when
        none has it.
    """
    here = (start or Path.cwd()).absolute()
    job, checkout = Path(sys.argv[0]).absolute(), Path(__file__).absolute().parents[3]
    for folder in (here, *here.parents, *job.parents[:2], checkout):
        if (folder / MAIN_FILE).is_file():
            return folder
    return None


def git_commit() -> str:
    """The commit of the bundle's checkout; `unknown` without git."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    found = subprocess.run([git, "rev-parse", "HEAD"], cwd=find_bundle(), capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
