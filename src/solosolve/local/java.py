"""The Java that Spark starts on this machine, and the jars that PySpark brings."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def find_java(environ: Mapping[str, str]) -> str | None:
    """The path of `JAVA_HOME`'s Java, or of the first on `PATH` if `JAVA_HOME` is not set; None if it does not exist.

    Spark's launcher (`bin/spark-class`) chooses in the same way.
    """
    home = environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home) / "bin") if home else environ.get("PATH", os.defpath))


def spark_jars(pattern: str) -> list[Path]:
    """PySpark's jars whose names match a glob pattern, sorted by name."""
    pyspark = importlib.util.find_spec("pyspark")
    folders = pyspark.submodule_search_locations or [] if pyspark else []
    return [jar for folder in folders for jar in sorted((Path(folder) / "jars").glob(pattern))]
