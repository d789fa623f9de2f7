"""The Java that Spark starts on this machine, and the jars and programs that PySpark brings."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from solosolve.errors import MissingDependencyError


def find_java(environ: Mapping[str, str]) -> str | None:
    """The path of `JAVA_HOME`'s Java, or of the first on `PATH` if `JAVA_HOME` is not set; None if it does not exist.

    Spark's launcher (`bin/spark-class`) chooses in the same way.
    """
    home = environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home) / "bin") if home else environ.get("PATH", os.defpath))


def spark_jars(pattern: str) -> list[Path]:
    """PySpark's jars whose names match a glob pattern, sorted by name."""
    return [jar for folder in _pyspark_folders() for jar in sorted((folder / "jars").glob(pattern))]


def spark_program(name: str) -> str:
    """The path of one of PySpark's programs, such as `spark-class`.

    Raises:
        MissingDependencyError: PySpark is not installed, or brings no such program.
    """
    for folder in _pyspark_folders():
        if (program := folder / "bin" / name).is_file():
            return str(program)
    raise MissingDependencyError(f"PySpark's programs include no {name}; to check the installation: solosolve doctor")


def _pyspark_folders() -> list[Path]:
    pyspark = importlib.util.find_spec("pyspark")
    return [Path(folder) for folder in pyspark.submodule_search_locations or []] if pyspark else []
