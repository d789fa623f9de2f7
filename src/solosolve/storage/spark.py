"""The only place that builds a Spark session: Spark with Delta, here or on a cluster, or the platform's session."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark import SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.listener import JStreamingQueryListener

from solosolve.bundle import find_bundle
from solosolve.errors import MissingDependencyError, SettingsError
from solosolve.settings import Settings

PROPERTIES_FILE = Path("bundle") / "spark-defaults.conf"
CLASS_ARCHIVE = Path(sys.prefix) / "spark-classes.jsa"
"""Spark's classes, archived for the JVM to map into memory; without it a session takes some seconds longer to start."""

_INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.maxPlanStringLength": "100",
}
_LEAN = _INTERPRETED | {
    "spark.sql.shuffle.partitions": "1",
    # A cache holds one batch for about a second.
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
    # Delta replays a table's log before each commit that names a transaction.
    "spark.databricks.delta.snapshotPartitions": "1",
}
_DELTA_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"


def spark_session(settings: Settings, app_name: str, *, writes_class_archive: bool = False) -> SparkSession:
    """Returns the session of this process, or starts one with the Spark properties that the settings name.

    A session that `spark-submit` prepares keeps what it was given, its master above all.

    Args:
        settings: The settings of this process.
        app_name: The name that Spark shows for the application.
        writes_class_archive: Whether the JVM writes CLASS_ARCHIVE when it ends.

    Raises:
        MissingDependencyError: Spark does not start, runs without Delta Lake (the message has the command to use
            instead), or the bundle with its Spark defaults is not found.
    """
    if not settings.is_local:
        return SparkSession.builder.appName(app_name).getOrCreate()
    settings.logs.mkdir(parents=True, exist_ok=True)
    # Otherwise the workers would run the first python3 on PATH, without this environment's packages.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(app_name)
    if not _jvm_is_running():
        for key, value in _local_properties(settings, writes_class_archive=writes_class_archive).items():
            builder = builder.config(key, value)
    with _terminal_kept_clean(settings.logs / "spark-start.log"):
        spark = builder.getOrCreate()
    _require_delta(spark, app_name)
    return spark


def lean_session(spark: SparkSession, settings: Settings) -> SparkSession:
    """A second session in the same process, for many small commits in a row.

    On one machine, half the time of such a commit goes into compiling and describing plans for a few rows. This
    session interprets the plans instead, in one partition. On the platform it is the given session.
    """
    if not settings.is_local:
        return spark
    lean = spark.newSession()
    for key, value in _LEAN.items():
        lean.conf.set(key, value)
    return lean


def interpret_plans(spark: SparkSession) -> None:
    """Has a session interpret its plans: for a few thousand rows, compiling a plan takes longer than running it."""
    for key, value in _INTERPRETED.items():
        spark.conf.set(key, value)


def task_slots(spark: SparkSession) -> int:
    """How many tasks the session runs at once."""
    return int(spark.sparkContext.defaultParallelism)


def listener_of_jvm(listener: JStreamingQueryListener) -> Any:
    """Wraps a listener to streaming queries for the JVM.

    Raises:
        MissingDependencyError: No Spark session runs in this process.
    """
    jvm = SparkContext._jvm
    if jvm is None:
        raise MissingDependencyError("no Spark session runs in this process")
    return jvm.PythonStreamingQueryListenerWrapper(listener)


def stop_session() -> None:
    """Stops the session of this process, if there is one."""
    spark = SparkSession.getActiveSession()
    if spark is not None:
        spark.stop()


def remove_empty_folders(spark: SparkSession, urls: Iterable[str]) -> None:
    """Removes those folders, of any file system that Spark reads, that exist and are empty, in this order."""
    jvm: Any = spark._jvm
    for url in urls:
        folder = jvm.org.apache.hadoop.fs.Path(url)
        files = folder.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
        if files.exists(folder) and not files.listStatus(folder):
            files.delete(folder, False)


def stop_jvm() -> None:
    """Stops the session and waits until its JVM has ended."""
    gateway = SparkContext._gateway
    stop_session()
    if gateway is not None:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()


def read_properties(path: Path) -> dict[str, str]:
    """Reads a Spark properties file (`key value` lines, `#` comments) into a mapping.

    Raises:
        SettingsError: The file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: Spark's properties cannot be read ({error})") from error
    entries = (line.split(None, 1) for line in text.splitlines() if _is_entry(line))
    return {key: value.strip() for key, value in entries}


def _is_entry(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _jvm_is_running() -> bool:
    return "PYSPARK_GATEWAY_PORT" in os.environ or SparkSession.getActiveSession() is not None


def _local_properties(settings: Settings, *, writes_class_archive: bool) -> dict[str, str]:
    bundle = find_bundle()
    if bundle is None:
        raise MissingDependencyError(
            f"{PROPERTIES_FILE} not found in this folder or its parents: run from the folder that holds databricks.yml"
        )
    properties = read_properties(settings.spark_properties or bundle / PROPERTIES_FILE)
    options = properties.get("spark.driver.extraJavaOptions", "").replace("=bundle/", f"={bundle.as_uri()}/bundle/")
    archive = f"-XX:{'ArchiveClassesAtExit' if writes_class_archive else 'SharedArchiveFile'}={CLASS_ARCHIVE}"
    options = re.sub(r"-XX:SharedArchiveFile=\S+", lambda _: archive, options)
    return properties | {
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.extraJavaOptions": f"{options} {settings.driver_java_options} -Dsolosolve.logs={settings.logs}",
        "spark.sql.warehouse.dir": settings.warehouse_url or str(settings.warehouse),
    }


def _require_delta(spark: SparkSession, task: str) -> None:
    jvm = spark._jvm
    is_loadable = jvm is not None and jvm.org.apache.spark.util.Utils.classIsLoadable(_DELTA_EXTENSION)
    if is_loadable and _DELTA_EXTENSION in (spark.conf.get("spark.sql.extensions", "") or ""):
        return
    words = shlex.join(["spark-submit", "--properties-file", str(PROPERTIES_FILE), f"jobs/{task}.py", *sys.argv[1:]])
    raise MissingDependencyError(f"Delta Lake is not on Spark's classpath; run: {words}")


@contextmanager
def _terminal_kept_clean(log: Path) -> Iterator[None]:
    """Redirects the output of the starting JVM (dependency resolution, warnings) from the terminal to a file."""
    if _jvm_is_running():
        yield
        return
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield
        except (PySparkException, RuntimeError) as error:
            raise MissingDependencyError(f"Spark did not start ({error}); its output is in {log}") from error
        finally:
            os.dup2(saved[0], 1)
            os.dup2(saved[1], 2)
            os.close(saved[0])
            os.close(saved[1])
