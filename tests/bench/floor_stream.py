"""The leanest stream from Kafka into Delta: it appends keys and times, and parses, scores and reports nothing.

Run it as a program with the arguments broker, topic, folder, `stock` or `lean` (the session's settings), and
`exactly_once` (each commit names a transaction) or `at_least_once`.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from solosolve.settings import Settings
from solosolve.storage.spark import PROPERTIES_FILE, lean_session, read_properties, spark_session

ROOT = Path(__file__).parents[2]
_REQUIRED = ("spark.master", "spark.jars.packages", "spark.sql.extensions", "spark.sql.catalog.spark_catalog")


def stock_session() -> SparkSession:
    """Starts a session with Delta's and Kafka's jars and only the settings that they require."""
    builder = SparkSession.builder
    for key, value in read_properties(ROOT / PROPERTIES_FILE).items():
        if key in _REQUIRED:
            builder = builder.config(key, value)
    return builder.config("spark.driver.memory", "4g").config("spark.ui.enabled", "false").getOrCreate()


def main(address: str, topic: str, folder: str, session_settings: str, delivery: str) -> None:
    """Streams until SIGTERM."""
    if session_settings == "stock":
        spark = stock_session()
    else:
        settings = Settings.load(environ={"SOLOSOLVE_HOME": folder})
        spark = lean_session(spark_session(settings, "floor"), settings)

    def append(rows: DataFrame, batch_id: int) -> None:
        transaction = {"txnAppId": "floor", "txnVersion": str(batch_id)} if delivery == "exactly_once" else {}
        rows.write.format("delta").mode("append").options(**transaction).save(f"{folder}/table")

    messages = spark.readStream.format("kafka").options(**{"kafka.bootstrap.servers": address, "subscribe": topic})
    requests = messages.load().selectExpr("cast(key AS string) AS key", "timestamp AS requested_at")
    query = requests.writeStream.foreachBatch(append).option("checkpointLocation", f"{folder}/checkpoint").start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Path(folder, "started").touch()
    query.awaitTermination()


if __name__ == "__main__":
    main(*sys.argv[1:])
