"""The last step of set-up: fetches Spark's jars and archives its classes, so that sessions start in half the time."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console

from solosolve.exit_codes import run_as_program
from solosolve.flows import ingest_complaints, refine_complaints
from solosolve.local.doctor import require_java
from solosolve.samples.writer import write_sample
from solosolve.settings import Settings
from solosolve.storage.spark import CLASS_ARCHIVE, spark_session, stop_jvm


def main() -> None:
    """Runs two tasks on a small sample in a temporary home, and archives the classes that they load."""
    require_java()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as home, console.status("fetching Spark's jars and loading its classes"):
        settings = Settings.load(environ={"SOLOSOLVE_HOME": home})
        sample = write_sample(Path(home) / "landing" / "sample.csv", rows=2_000, seed=1)
        spark = spark_session(settings, "warm_up", writes_class_archive=True)
        ingest_complaints.run(spark, settings, str(sample.path))
        refine_complaints.run(spark, settings)
        stop_jvm()
    console.print(f"Spark is ready ({CLASS_ARCHIVE.name} written)" if CLASS_ARCHIVE.is_file() else "Spark is ready")


if __name__ == "__main__":
    run_as_program(main)
