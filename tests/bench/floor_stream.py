"""The leanest stream from Kafka into Delta: keys and times appended, nothing read, scored or told.

Run as a program with: broker, topic, folder, `stock` or `lean` settings, and `once` (a transaction names each commit)
or `again`.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from solosolve.settings import Settings
from solosolve.storage.spark import PROPERTIES_FILE, lean_session, read_properties, spark_session

ROOT = Path(__file__).parents[2]
_NEEDED = ("spark.master", "spark.jars.packages", "spark.sql.extensions", "spark.sql.catalog.spark_catalog")


def stock_session() -> SparkSession:
    """Delta's and Kafka's jars, and nothing set that need not be."""
    builder = SparkSession.builder
    for key, value in read_properties(ROOT / PROPERTIES_FILE).items():
        if key in _NEEDED:
            builder = builder.config(key, value)
    return builder.config("spark.driver.memory", "4g").config("spark.ui.enabled", "false").getOrCreate()


def main(address: str, topic: str, folder: str, settings_are: str, commits_are: str) -> None:
    """Streams until SIGTERM."""
    if settings_are == "stock":
        spark = stock_session()
    else:
        settings = Settings.load(environ={"SOLOSOLVE_HOME": folder})
        spark = lean_session(spark_session(settings, "floor"), settings)

    def append(rows: DataFrame, batch_id: int) -> None:
        named = {"txnAppId": "floor", "txnVersion": str(batch_id)} if commits_are == "once" else {}
        rows.write.format("delta").mode("append").options(**named).save(f"{folder}/table")

    messages = spark.readStream.format("kafka").options(**{"kafka.bootstrap.servers": address, "subscribe": topic})
    kept = messages.load().selectExpr("cast(key AS string) AS key", "timestamp AS requested_at")
    query = kept.writeStream.foreachBatch(append).option("checkpointLocation", f"{folder}/checkpoint").start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Path(folder, "started").touch()
    query.awaitTermination()


if __name__ == "__main__":
    main(*sys.argv[1:])
