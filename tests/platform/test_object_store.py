"""Landing files and tables in an object store: a real S3 server on this machine, which `make faults` installs.

The first run also downloads hadoop-aws (670 MB).
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from pyarrow.fs import FileSystem

from solosolve.local.table_comparison import COMPARED, compare
from solosolve.names import FEEDBACK
from solosolve.samples.writer import write_sample
from solosolve.settings import Settings
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.feedback import Verdict
from solosolve.storage.store_reader import reader_of
from support.brokers import free_port
from support.drills import LONG
from support.warehouses import feedback

ROOT = Path(__file__).parents[2]
SERVER = ROOT / ".venv" / "s3-server"
"""Moto's S3 server, and what it needs beyond the project's own environment."""
HADOOP_AWS = "org.apache.hadoop:hadoop-aws:3.5.0"
"""Of the Hadoop version in PySpark's jars."""
SOURCE, TABLES = "s3a://landing/complaints", "s3a://tables/warehouse"
TASKS = [
    ["ingest_complaints", "--source", SOURCE],
    ["refine_complaints"],
    ["build_features"],
    ["train_model"],
    ["validate_model"],
    ["promote_model"],
    ["request_scores", "--at-most", "50"],
    ["score_stream", "--available-now"],
    ["score_complaints"],
]
AGAIN = [["ingest_complaints", "--source", f"{SOURCE}/**/*.csv"], ["refine_complaints"], ["maintain_tables"]]

pytestmark = pytest.mark.skipif(not LONG, reason="takes minutes: make faults")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server, with two empty buckets."""
    assert SERVER.is_dir(), f"{SERVER} is missing: make faults installs it"
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with (tmp_path_factory.mktemp("server") / "server.log").open("wb") as log:
        words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(words, env=os.environ | {"PYTHONPATH": str(SERVER)}, stdout=log, stderr=log)
    try:
        for bucket in ("landing", "tables"):
            put(f"{address}/{bucket}")
        yield address
    finally:
        server.terminate()
        server.wait()


def put(url: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="PUT"))
            return
        except URLError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


@pytest.fixture
def environment(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of every process, which names the server to Arrow, delta-rs and Spark."""
    properties = {
        "spark.hadoop.fs.s3a.endpoint": endpoint,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.access.key": "key",
        "spark.hadoop.fs.s3a.secret.key": "secret",
        "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
    }
    text = (ROOT / "bundle" / "spark-defaults.conf").read_text(encoding="utf-8")
    text = text.replace("io.delta:delta-spark", f"{HADOOP_AWS},io.delta:delta-spark")
    path = tmp_path / "spark.conf"
    path.write_text(text + "\n" + "".join(f"{name} {value}\n" for name, value in properties.items()), encoding="utf-8")
    added = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SOLOSOLVE_SPARK_PROPERTIES": str(path),
        "SOLOSOLVE_BOOTSTRAP_ROUNDS": "50",
    }
    for name, value in added.items():
        monkeypatch.setenv(name, value)
    return dict(os.environ)


def run(environment: dict[str, str], tasks: list[list[str]]) -> str:
    words = [sys.executable, str(ROOT / "tests" / "support" / "run_jobs.py"), json.dumps(tasks)]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
    return done.stderr


def test_jobs_in_an_object_store_write_what_they_write_on_disk(environment: dict[str, str], tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.csv", rows=6_000, seed=3).path.read_bytes()
    lines = sample.splitlines(keepends=True)
    store, root = FileSystem.from_uri("s3://landing")
    for name, content in {"a.csv": sample, "b.csv.gz": gzip.compress(lines[0])}.items():
        with store.open_output_stream(f"{root}/complaints/{name}", compression=None) as file:
            file.write(content)

    on_disk = {"SOLOSOLVE_HOME": str(tmp_path / "disk")}
    in_store = {"SOLOSOLVE_HOME": str(tmp_path / "store"), "SOLOSOLVE_WAREHOUSE_URL": TABLES}
    # What a process leaves that is killed while it makes a table.
    put(f"{environment['AWS_ENDPOINT_URL']}/tables/warehouse/gold/model_events/_delta_log/_staged_commits/")
    run(environment | on_disk, TASKS)
    run(environment | in_store, TASKS)
    in_store_settings = Settings.load(environ=in_store)
    verdicts = DeltaFeedback(in_store_settings)
    assert verdicts.record(feedback("a"))
    assert "already landed" in run(environment | in_store, AGAIN)
    assert not verdicts.record(feedback("a"))
    assert verdicts.record(feedback("a", verdict=Verdict.WITHDRAWN))
    found_verdicts = reader_of(in_store_settings).query(f"select verdict from {FEEDBACK} order by verdict")
    assert found_verdicts.column("verdict").to_pylist() == ["success", "withdrawn"]

    assert not (tmp_path / "store" / "warehouse").exists()
    assert not list((tmp_path / "store" / "checkpoints" / "_staged").glob("*"))
    found = compare(*(reader_of(Settings.load(environ=each)) for each in (on_disk, in_store)), COMPARED)
    assert [str(each) for each in found if not each.is_equal] == []
    assert {str(each.table): each.row_count for each in found}["bronze.complaints"] == 6_000
