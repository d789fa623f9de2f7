"""A home that an earlier release made, unpacked where a test wants it.

`homes/first_release.tar.gz` is the home of version 0.1.0 at commit 42fb0ce, made by

    solosolve sample --rows 1500 --seed 11
    solosolve run medallion train_model request_scores score_stream score_batch \
        --param available_now=true --param feature_set=baseline --param engine=gbt

without its logs, plots and landing file. Its scores, bit for bit, are in its `gold.predictions`.
"""

from __future__ import annotations

import sqlite3
import tarfile
from pathlib import Path

ARCHIVE = Path(__file__).parent / "homes" / "first_release.tar.gz"

_MADE_IN = "file:///tmp/solosolve/home/"
"""Where the home was made: MLflow's database has absolute addresses."""

_ADDRESSES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "model_versions": "storage_location",
    "logged_models": "artifact_location",
}


def unpack(folder: Path) -> Path:
    """Unpacks the home into a folder, as if it had been made there; returns its path."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    home = folder / "home"
    with sqlite3.connect(home / "mlflow" / "mlflow.db") as database:
        for table, column in _ADDRESSES.items():
            database.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (_MADE_IN, f"{home.as_uri()}/"))
    return home
