"""A session over Spark Connect, which has no JVM in its process, in place of the tests' own."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from pyspark.sql import SparkSession

from solosolve.storage.spark import PROPERTIES_FILE, read_properties
from support.archives import project_archive

SERVER = os.environ.get("SPARK_CONNECT")
"""Where the server is (`sc://host:15002`), or the master of one to start here (`local[2]`); needs grpcio."""


def connect_session(server: str) -> SparkSession:
    # Otherwise the workers of a server that starts here would run the first python3 on PATH.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.remote(server).appName("tests")
    if not server.startswith("sc://"):
        properties = read_properties(Path(__file__).parents[2] / PROPERTIES_FILE)
        for name, value in properties.items():
            if name != "spark.master":
                builder = builder.config(name, value)
    spark = builder.getOrCreate()
    with tempfile.TemporaryDirectory() as folder:
        # The server's workers have no path to the client's code.
        spark.addArtifacts(str(project_archive(Path(folder))), pyfile=True)
    return spark
