"""Runs job files as a Databricks cluster does: in a session that exists, each file executed as a string of code.

Called as a program, because Spark's version is chosen by PYTHONPATH:

    python cluster_run.py PLAN

PLAN is a JSON file with `warehouse`, the folder of the session's catalog, and `tasks`, a list of job files with their
arguments. Schemas are made first, as a deployment does. Prints one JSON object per task, with its name, seconds and
error.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from pyspark.sql import SparkSession

DELTA = {"4.0": "io.delta:delta-spark_2.13:4.0.0", "4.2": "io.delta:delta-spark_2.13:4.4.0"}
"""Delta's jar by version of Spark."""


def session(warehouse: str, version: str) -> SparkSession:
    """The session that a cluster would have started, with Spark's own catalog in place of Unity Catalog."""
    builder = SparkSession.builder.master("local[2]").appName("cluster")
    for key, value in {
        "spark.jars.packages": DELTA[version],
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.warehouse.dir": warehouse,
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:TieredStopAtLevel=1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def stand_in_runtime() -> None:
    """Puts a module in place of the platform's own, with the part of dbutils that tasks use."""
    task_values = SimpleNamespace(set=lambda key, value: None)
    runtime = ModuleType("databricks.sdk.runtime")
    runtime.dbutils = SimpleNamespace(jobs=SimpleNamespace(taskValues=task_values))  # type: ignore[attr-defined]
    sys.modules["databricks.sdk.runtime"] = runtime


def main() -> None:
    """Runs the plan."""
    stand_in_runtime()
    plan: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    import pyspark

    spark = session(plan["warehouse"], ".".join(pyspark.__version__.split(".")[:2]))
    for name in plan["schemas"]:
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {name}")
    for task in plan["tasks"]:
        file = Path(task["file"])
        sys.argv = ["/databricks/python_shell/scripts/db_ipykernel_launcher.py", *task["arguments"]]
        error, started = None, time.monotonic()
        try:
            exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), {"__name__": "__main__"})
        except BaseException:  # noqa: BLE001 - SystemExit, too, is a failure on the platform
            error = traceback.format_exc()
        sys.stdout.write(json.dumps({"task": file.stem, "seconds": time.monotonic() - started, "error": error}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
