"""The stream: the drain of a backlog, latency beside a floor, and two thousand batches."""

from __future__ import annotations

import io
import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from rich.console import Console

from solosolve.bundle import load_bundle
from solosolve.local.produce import produce
from solosolve.local.runner import run_tasks
from solosolve.names import CHAMPION, FILED_COLUMNS, REQUESTS_TOPIC, STREAM_PROGRESS
from solosolve.samples.writer import write_sample
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.registry import Registry
from solosolve.streaming.champion_provider import load
from solosolve.transforms.predictions import with_probability
from support.brokers import kafka_settings
from support.real_data import REAL_DATA

ROOT = Path(__file__).parents[2]
BACKLOG, WARM_UP_BACKLOGS = 100_000, 7
RATE, SECONDS, WARM_UP_SECONDS = 100, 120, 180
BATCHES = 2_000
SILVER = (
    "select complaint_id, cast(date_received as varchar) as date_received, product, sub_product, issue, sub_issue, "
    "consumer_complaint_narrative, company, state, zip_code, tags, submitted_via from silver.complaints"
)


@pytest.fixture(scope="module")
def live(spark: SparkSession, broker: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with a champion, and a broker; the complaints are real ones where there are any."""
    home = tmp_path_factory.mktemp("stream_bench")
    real = sorted(REAL_DATA.glob("complaints_*.csv.gz"))
    source = real[0] if real else write_sample(home / "sample.csv", rows=20_000, seed=3).path
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOLOSOLVE_HOME", str(home))
        tasks = load_bundle(ROOT, "local").plan(("medallion", "train_model"), {"source": str(source)})
        run_tasks(tasks, runs=home / "runs", resume="", console=Console(file=io.StringIO()))
    return kafka_settings(home, broker)


def requests_of(settings: Settings, count: int) -> list[dict[str, Any]]:
    """So many requests, the silver complaints over and over."""
    return list(islice(cycle(DeltaReader(settings.warehouse).query(SILVER).to_pylist()), count))


@contextmanager
def running(settings: Settings, *words: str, heap: str = "4g") -> Iterator[subprocess.Popen[bytes]]:
    """A program in a process of its own, ended by SIGTERM."""
    environ = {"SOLOSOLVE_HOME": str(settings.home), "SOLOSOLVE_KAFKA_BOOTSTRAP": settings.kafka_bootstrap}
    environ["SOLOSOLVE_DRIVER_MEMORY"] = heap
    log = (settings.home / "bench.log").open("ab")
    process = subprocess.Popen(words, cwd=ROOT, env={**_environ(), **environ}, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def stream(settings: Settings, *params: str) -> list[str]:
    words = [str(Path(sys.executable).parent / "solosolve"), "run", "score_stream", "--param", "source=kafka"]
    return [*words, *(word for param in params for word in ("--param", param))]


def test_drain_of_a_backlog_beside_a_loop_over_batches_of_ten(spark: SparkSession, live: Settings) -> None:
    requests = requests_of(live, BACKLOG)
    for _ in range(1 + WARM_UP_BACKLOGS):
        produce(live, REQUESTS_TOPIC, iter(requests))
    subprocess.run(
        stream(live, "available_now=true", f"max_per_trigger={BACKLOG}"), cwd=ROOT, env=_environ(live), check=True
    )
    rows = (
        DeltaReader(live.warehouse)
        .query("select batch_id, request_count, batch_seconds from gold.stream_progress order by batch_id")
        .to_pylist()
    )
    # A stream runs for days: what its JVM compiles at first is not counted, nor are the loop's first batches.
    whole = [row for row in rows if row["request_count"] > BACKLOG * 0.9]
    rates = [row["request_count"] / row["batch_seconds"] for row in whole]
    ours = statistics.median(rates[-3:])
    scoring = load(Registry(live), Registry(live).find(CHAMPION))  # type: ignore[arg-type]
    schema = "complaint_id long, " + ", ".join(f"{name} string" for name in FILED_COLUMNS)

    def loop(count: int) -> float:
        started = time.perf_counter()
        for place in range(0, count, 10):
            ten = [
                tuple(each[name] for name in ("complaint_id", *FILED_COLUMNS)) for each in requests[place : place + 10]
            ]
            frame = spark.createDataFrame(ten, schema).withColumn("date_received", _date())
            with_probability(frame, scoring.score).toPandas()
        return count / (time.perf_counter() - started)

    loop(100)
    theirs = loop(400)
    size = statistics.mean(len(json.dumps(each)) for each in requests[:5_000])
    print(f"\ndrain of {BACKLOG} requests of {size:.0f} bytes: {ours:,.0f}/s")
    print("one batch behind the other: " + ", ".join(f"{rate:,.0f}/s" for rate in rates))
    print(f"the loop: {theirs:.1f}/s")
    print(f"drain beside the loop: {ours / theirs:.0f} times")


def _date() -> Any:
    from pyspark.sql import functions as F

    return F.col("date_received").cast("date")


def test_latency_beside_the_leanest_append(live: Settings, tmp_path: Path) -> None:
    found: dict[str, tuple[float, float]] = {}
    for name, words in {
        "stock, once": ("stock", "once"),
        "lean, again": ("lean", "again"),
        "lean, once": ("lean", "once"),
    }.items():
        folder = tmp_path / name.replace(", ", "_")
        folder.mkdir()
        floor = [sys.executable, str(Path(__file__).parent / "floor_stream.py")]
        with running(live, *floor, live.kafka_bootstrap, REQUESTS_TOPIC, str(folder), *words):
            _wait_until((folder / "started").exists)
            found[name] = _latencies(live, folder / "table")
    with running(live, *stream(live, "starting=latest")):
        _wait_until(lambda: "scores from here on" in (live.home / "bench.log").read_text())
        found["score_stream"] = _latencies(live, live.warehouse / "gold" / "predictions")
    print()
    for name, (median, late) in found.items():
        print(f"latency at {RATE}/s: {name}: p50 {median:.2f} s, p99 {late:.2f} s")
    for name in ("lean, once", "lean, again"):
        ratios = [ours / floor for ours, floor in zip(found["score_stream"], found[name], strict=True)]
        print(f"score_stream beside the floor ({name}): p50 {ratios[0]:.2f} times, p99 {ratios[1]:.2f} times")
    ratio = found["lean, once"][0] / found["stock, once"][0]
    print(f"floor beside stock settings: p50 {ratio:.2f} times")


def _latencies(settings: Settings, table: Path) -> tuple[float, float]:
    """Median and 99th percentile of the seconds from a request's time to its commit, behind a warm-up."""
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
    seconds = []
    for commit in sorted((table / "_delta_log").glob("*.json")):
        visible = commit.stat().st_mtime
        for line in commit.read_text().splitlines():
            added = json.loads(line).get("add")
            if added and visible >= since:
                times = pq.read_table(table / added["path"], columns=["requested_at"]).column(0).to_pylist()
                seconds += [visible - each.timestamp() for each in times if each.timestamp() >= since]
    return seconds


def test_memory_and_batch_time_over_two_thousand_batches(live: Settings) -> None:
    progress = DeltaReader(live.warehouse)
    resident: list[tuple[int, int]] = []
    # A heap that the first batches fill: what grows behind them is no room that the JVM has not used yet.
    with running(live, *stream(live, "max_per_trigger=2"), heap="1g") as process:
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
    print(f"\np95 of the first 200 batches {early:.2f} s, of the last {late:.2f} s: {late / early:.2f} times")
    first_mb, most_mb, last_mb = (size / 1e6 for size in (after[0], max(after), after[-1]))
    print(
        f"resident memory at the 200th batch {first_mb:.0f} MB, afterwards at most {most_mb / first_mb:.2f} times that"
    )
    print(f"resident memory at last {last_mb / first_mb:.2f} times that")


def _resident_bytes(pid: int) -> int:
    """Of a process and all below it, memory that several share counted once."""
    size = 0
    for each in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        # Workers come and go.
        with suppress(psutil.NoSuchProcess):
            # A JVM that starts a program is for a moment two processes with one memory.
            if each.pid != pid and each.name() == "java" and each.cmdline() == each.parent().cmdline():
                continue
            size += each.memory_full_info().pss
    return size


def _newest_batch(progress: DeltaReader) -> int:
    if STREAM_PROGRESS not in progress.tables():
        return -1
    found = progress.query("select max(batch_id) as n from gold.stream_progress where source = 'kafka'").to_pylist()
    return -1 if found[0]["n"] is None else int(found[0]["n"])


def _wait_until(is_so: Any, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _environ(settings: Settings | None = None) -> dict[str, str]:
    import os

    own = {} if settings is None else {
        "SOLOSOLVE_HOME": str(settings.home), "SOLOSOLVE_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
    }  # fmt: skip
    return {**os.environ, **own}
