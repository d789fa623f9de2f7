"""The stream: draining a backlog, latency compared with a floor, and memory over two thousand batches."""

from __future__ import annotations

import io
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from rich.console import Console

from bench.figures import Figures
from solosolve.local.job_plan import load_bundle
from solosolve.local.produce import produce
from solosolve.local.runner import run_tasks
from solosolve.names import CHAMPION, FILED_COLUMNS, REQUESTS_TOPIC, STREAM_PROGRESS
from solosolve.samples.writer import write_sample
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.registry import Registry
from solosolve.streaming.champion_provider import load
from solosolve.transforms.predictions import Scoring, with_probability
from support.brokers import kafka_settings
from support.real_data import REAL_DATA

ROOT = Path(__file__).parents[2]
BATCH_SIZE, MEASURED_BATCHES, BACKLOG_BATCHES = 100_000, 3, 8
RATE, SECONDS, WARM_UP_SECONDS = 100, 120, 180
BATCHES = 2_000
SILVER = (
    "select complaint_id, cast(date_received as varchar) as date_received, product, sub_product, issue, sub_issue, "
    "consumer_complaint_narrative, company, state, zip_code, tags, submitted_via from silver.complaints"
)


@pytest.fixture(scope="module")
def live(spark: SparkSession, broker: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a broker and of a home with a champion, trained on real complaints if this machine has them."""
    home = tmp_path_factory.mktemp("stream_bench")
    real = sorted(REAL_DATA.glob("complaints_*.csv.gz"))
    source = real[0] if real else write_sample(home / "sample.csv", rows=20_000, seed=3).path
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOLOSOLVE_HOME", str(home))
        tasks = load_bundle(ROOT, "local").plan(("medallion", "train_model"), {"source": str(source)})
        run_tasks(tasks, runs=home / "runs", resume="", console=Console(file=io.StringIO()))
    return kafka_settings(home, broker)


def requests_of(settings: Settings, count: int) -> list[dict[str, Any]]:
    """Returns `count` requests, repeating the silver complaints as often as needed."""
    return list(islice(cycle(DeltaReader(settings.warehouse).query(SILVER).to_pylist()), count))


@contextmanager
def running(settings: Settings, *words: str, heap: str = "4g") -> Iterator[subprocess.Popen[bytes]]:
    """Runs a program in its own process and ends it with SIGTERM."""
    environ = _environ(settings) | {"SOLOSOLVE_DRIVER_MEMORY": heap}
    log = (settings.home / "bench.log").open("ab")
    process = subprocess.Popen(words, cwd=ROOT, env=environ, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def stream_command(*params: str) -> list[str]:
    words = [str(Path(sys.executable).parent / "solosolve"), "run", "score_stream", "--param", "source=kafka"]
    return [*words, *(word for param in params for word in ("--param", param))]


def test_drain_rate_of_a_backlog_compared_with_a_loop_over_batches_of_ten(
    spark: SparkSession, live: Settings, figures: Figures
) -> None:
    requests = requests_of(live, BATCH_SIZE)
    for _ in range(BACKLOG_BATCHES):
        produce(live, REQUESTS_TOPIC, iter(requests))
    command = stream_command("available_now=true", f"max_per_trigger={BATCH_SIZE}")
    subprocess.run(command, cwd=ROOT, env=_environ(live), check=True)
    sql = "select batch_id, request_count, batch_seconds from gold.stream_progress order by batch_id"
    batches = DeltaReader(live.warehouse).query(sql).to_pylist()
    full_batches = [batch for batch in batches if batch["request_count"] > BATCH_SIZE * 0.9]
    rates = [batch["request_count"] / batch["batch_seconds"] for batch in full_batches]
    # A stream runs for days, so neither its first batches nor the loop's count: the JVM is still compiling.
    ours = statistics.median(rates[-MEASURED_BATCHES:])
    scoring = load(Registry(live), Registry(live).find(CHAMPION))  # type: ignore[arg-type]
    loop_rate(spark, scoring, requests[:100])
    theirs = loop_rate(spark, scoring, requests[:400])
    size = statistics.mean(len(json.dumps(each)) for each in requests[:5_000])
    print(f"\nstream, batches of {BATCH_SIZE:,} requests of {size:.0f} bytes: {ours:,.0f} requests/s")
    print("stream, batch by batch: " + ", ".join(f"{rate:,.0f}/s" for rate in rates))
    print(f"loop over batches of ten: {theirs:.1f} requests/s")
    figures.add(
        "stream, draining a backlog", f"{ours:,.0f} requests/s", f"loop over batches of ten: {theirs:.1f} requests/s",
        ours / theirs,
    )  # fmt: skip
    print(f"the stream is {ours / theirs:.0f} times as fast as the loop")


def loop_rate(spark: SparkSession, scoring: Scoring, requests: list[dict[str, Any]]) -> float:
    """Returns how many requests a second a loop scores that makes a DataFrame of every ten."""
    columns = ("complaint_id", *FILED_COLUMNS)
    schema = "complaint_id long, " + ", ".join(f"{name} string" for name in FILED_COLUMNS)
    started = time.perf_counter()
    for first in range(0, len(requests), 10):
        ten = [tuple(each[name] for name in columns) for each in requests[first : first + 10]]
        frame = spark.createDataFrame(ten, schema).withColumn("date_received", F.col("date_received").cast("date"))
        with_probability(frame, scoring.score).toPandas()
    return len(requests) / (time.perf_counter() - started)


def test_latency_compared_with_the_leanest_append(live: Settings, tmp_path: Path, figures: Figures) -> None:
    found: dict[str, tuple[float, float]] = {}
    for session_settings, delivery in (("stock", "exactly_once"), ("lean", "at_least_once"), ("lean", "exactly_once")):
        name = f"floor, {session_settings} settings, {delivery.replace('_', ' ')}"
        folder = tmp_path / f"{session_settings}_{delivery}"
        folder.mkdir()
        program = [sys.executable, str(Path(__file__).with_name("floor_stream.py"))]
        with running(live, *program, live.kafka_bootstrap, REQUESTS_TOPIC, str(folder), session_settings, delivery):
            _wait_until((folder / "started").exists)
            found[name] = _latencies(live, folder / "table")
    with running(live, *stream_command("starting=latest")):
        _wait_until(lambda: "scores from now on" in (live.home / "bench.log").read_text())
        found["score_stream"] = _latencies(live, live.warehouse / "gold" / "predictions")
    print()
    for name, (median, late) in found.items():
        print(f"latency at {RATE} requests/s, {name}: p50 {median:.2f} s, p99 {late:.2f} s")
    stock, at_least_once, exactly_once, ours = found.values()
    for name, floor in {"exactly once": exactly_once, "at least once": at_least_once}.items():
        p50, p99 = ours[0] / floor[0], ours[1] / floor[1]
        peer = f"lean floor, {name}"
        figures.add("latency of the stream, p50", f"{ours[0]:.2f} s", f"{peer}: {floor[0]:.2f} s", p50)
        figures.add("latency of the stream, p99", f"{ours[1]:.2f} s", f"{peer}: {floor[1]:.2f} s", p99)
        print(f"score_stream compared with the lean floor, {name}: p50 {p50:.2f} times, p99 {p99:.2f} times")
    print(f"lean floor compared with stock settings, exactly once: p50 {exactly_once[0] / stock[0]:.2f} times")


def _latencies(settings: Settings, table: Path) -> tuple[float, float]:
    """Returns the median and the 99th percentile of the seconds from a request to its commit, after a warm-up."""
    requests = requests_of(settings, RATE * (WARM_UP_SECONDS + SECONDS))
    produce(settings, REQUESTS_TOPIC, iter(requests[: RATE * WARM_UP_SECONDS]), rate=RATE)
    since = time.time()
    produce(settings, REQUESTS_TOPIC, iter(requests[RATE * WARM_UP_SECONDS :]), rate=RATE)
    deadline = time.monotonic() + 120
    while len(seconds := _seconds_to_visible(table, since)) < RATE * SECONDS:
        assert time.monotonic() < deadline
        time.sleep(5)
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]


def _seconds_to_visible(table: Path, since: float) -> list[float]:
    """Returns the seconds from each request since a POSIX time to the commit of its row."""
    seconds = []
    for commit in sorted((table / "_delta_log").glob("*.json")):
        visible = commit.stat().st_mtime
        for line in commit.read_text().splitlines():
            added = json.loads(line).get("add")
            if added and visible >= since:
                times = pq.read_table(table / added["path"], columns=["requested_at"]).column(0).to_pylist()
                seconds += [visible - each.timestamp() for each in times if each.timestamp() >= since]
    return seconds


def test_memory_and_batch_duration_over_two_thousand_batches(live: Settings, figures: Figures) -> None:
    progress = DeltaReader(live.warehouse)
    resident: list[tuple[int, int]] = []
    # The first batches fill a heap this small, so later growth is not just the JVM using free space.
    with running(live, *stream_command("max_per_trigger=2"), heap="1g") as process:
        first = _newest_batch(progress) + 1
        produce(live, REQUESTS_TOPIC, iter(requests_of(live, 2 * (BATCHES + 100))))
        while _newest_batch(progress) < first + BATCHES:
            assert process.poll() is None, (live.home / "bench.log").read_text()[-2_000:]
            time.sleep(5)
            resident.append((_newest_batch(progress) - first, _resident_bytes(process.pid)))
    rows = progress.query(
        f"select batch_seconds from gold.stream_progress where source = 'kafka' and batch_id >= {first} "
        "order by batch_id"
    ).to_pylist()
    seconds = [row["batch_seconds"] for row in rows[:BATCHES]]
    early, late = (sorted(part)[int(0.95 * len(part))] for part in (seconds[:200], seconds[-200:]))
    after = [size for batch, size in resident if batch >= 200]
    print(f"\np95 of the first 200 batches {early:.2f} s, of the last 200 {late:.2f} s: {late / early:.2f} times")
    first_mb, most_mb, last_mb = (size / 1e6 for size in (after[0], max(after), after[-1]))
    print(f"resident memory at the 200th batch: {first_mb:.0f} MB")
    figures.add("p95 of the last 200 batches", f"{late:.2f} s", f"of the first 200: {early:.2f} s", late / early)
    figures.add("memory after 2,000 batches", f"{last_mb:.0f} MB", f"after 200: {first_mb:.0f} MB", last_mb / first_mb)
    print(f"then at most {most_mb / first_mb:.2f} times that, and {last_mb / first_mb:.2f} times at the end")


def _resident_bytes(pid: int) -> int:
    """Returns the memory of a process and its descendants, counting shared memory once."""
    size = 0
    for each in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        # Workers may end between the listing and the reading.
        with suppress(psutil.NoSuchProcess):
            # While a JVM starts a program, it briefly appears as two processes with the same memory.
            if each.pid != pid and each.name() == "java" and each.cmdline() == each.parent().cmdline():
                continue
            size += each.memory_full_info().pss
    return size


def _newest_batch(progress: DeltaReader) -> int:
    if STREAM_PROGRESS not in progress.tables():
        return -1
    found = progress.query("select max(batch_id) as n from gold.stream_progress where source = 'kafka'").to_pylist()
    return -1 if found[0]["n"] is None else int(found[0]["n"])


def _wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _environ(settings: Settings) -> dict[str, str]:
    own = {"SOLOSOLVE_HOME": str(settings.home), "SOLOSOLVE_KAFKA_BOOTSTRAP": settings.kafka_bootstrap}
    return os.environ | own
