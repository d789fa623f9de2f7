"""The dashboard at ten million predictions beside a hundred thousand: paint, refreshes, memory, fifty browsers."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from playwright.sync_api import sync_playwright

from solosolve.dashboard.views.figures import MAPPED_STATES
from solosolve.names import PREDICTIONS, STREAM_PROGRESS
from support.dashboard_process import served_by, serving
from support.pollers import Poller
from support.warehouses import PRODUCTS, append, batch, folder, write_everything

SMALL, LARGE = 100_000, 10_000_000
CHUNK, NEW = 500_000, 1_000
REFRESHES, BROWSERS, SECONDS, PERIOD = 40, 50, 60, 5.0
COMPANIES = pa.array([f"Company {number} of the register" for number in range(4_000)])
STATES = pa.array(sorted([*MAPPED_STATES, "PR", "AE"]))
FIGURES = 8
GRAPHS = ["time", "distribution", "states", "companies", "calibration", "drift", "batches"]
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def predictions(first_id: int, count: int, seed: int) -> pa.Table:
    """Predictions of two years, by company as unevenly as complaints are."""
    draw = np.random.default_rng(seed)
    company = np.minimum(draw.zipf(1.3, count) - 1, len(COMPANIES) - 1).astype(np.int32)
    probability = draw.beta(4, 2, count)
    seconds = draw.uniform(0, 700 * 86_400, count) if first_id < LARGE else np.full(count, 700 * 86_400.0)
    at = pa.array((FIRST.timestamp() * 1e6 + seconds * 1e6).astype(np.int64), pa.timestamp("us", tz="UTC"))

    def of(codes: Any, names: pa.Array) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names).cast(pa.string())

    return pa.table(
        {
            "complaint_id": np.arange(first_id, first_id + count), "requested_at": at, "scored_at": at,
            "company": of(company, COMPANIES), "state": of(draw.integers(0, len(STATES), count), STATES),
            "product": of(draw.integers(0, len(PRODUCTS), count), pa.array(PRODUCTS)),
            "submitted_via": pa.array(["Web"] * count), "probability": probability,
            "prediction": (probability >= 0.5).astype(float), "model_name": pa.array(["complaint_resolution"] * count),
            "model_version": np.full(count, 2, np.int32), "source": pa.array(["delta"] * count),
            "source_position": pa.nulls(count, pa.string()), "batch_id": np.full(count, 1, np.int64),
        }
    )  # fmt: skip


def made(home: Path, count: int) -> Path:
    warehouse = home / "warehouse"
    write_everything(warehouse, predictions=10, now=FIRST + timedelta(days=700))
    path = folder(warehouse, PREDICTIONS)
    DeltaTable(path).delete()
    for number, first in enumerate(range(1, count, CHUNK)):
        write_deltalake(path, predictions(first, min(CHUNK, count), number), mode="append")
    return home


@contextmanager
def served(home: Path | None) -> Iterator[tuple[str, psutil.Process, float]]:
    """Address, process, and seconds until it answers: the first read; a bare Dash page where there is no home."""
    started = time.perf_counter()
    bare = served_by([sys.executable, str(Path(__file__).with_name("bare_dash.py"))], subprocess.DEVNULL)
    with serving(home, stderr=subprocess.DEVNULL) if home else bare as (address, process):
        yield address, process, time.perf_counter() - started


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    return {count: made(tmp_path_factory.mktemp(f"dashboard_{count}"), count) for count in (SMALL, LARGE)}


def first_paint(address: str, graphs: list[str]) -> float:
    """Seconds from the address to all figures drawn, in a browser that has not been there."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context()
        page = context.new_page()
        started = time.perf_counter()
        page.goto(address)
        for name in graphs:
            page.wait_for_selector(f"#graph-{name} .main-svg", state="attached")
        seconds = time.perf_counter() - started
        browser.close()
    return seconds


def refreshes(home: Path, address: str, first_id: int) -> list[float]:
    """Seconds of each refresh behind a commit of new predictions and a batch's progress."""
    poller = Poller(address)
    poller.poll()
    path, seconds = folder(home / "warehouse", PREDICTIONS), []
    for number in range(REFRESHES):
        write_deltalake(path, predictions(first_id + number * NEW, NEW, number), mode="append")
        taken, came = poller.poll()
        assert "panel-companies" in came
        assert "panel-cards" not in came
        seconds.append(taken)
    return seconds


def p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(0.95 * (len(seconds) - 1))]


def test_first_paint_refresh_and_memory_at_ten_million(homes: dict[int, Path]) -> None:
    found: dict[int, list[float]] = {}
    with served(None) as (address, _, _):
        bare = statistics.median(first_paint(address, [str(number) for number in range(FIGURES)]) for _ in range(5))
    print(f"\na bare Dash page with {FIGURES} bar charts is painted in {bare:.2f} s")
    for count, home in homes.items():
        with served(home) as (address, process, first_read):
            painted = [first_paint(address, GRAPHS) for _ in range(5)]
            found[count] = refreshes(home, address, LARGE + count)
            resident = process.memory_info().rss / 1e6
        paint, half, most = statistics.median(painted), statistics.median(found[count]), p95(found[count])
        print(f"\n{count:,} predictions: first read {first_read:.1f} s, resident {resident:.0f} MB")
        print(f"all panels painted in {paint:.2f} s, {paint / bare:.2f} times the bare page")
        print(f"a refresh after {NEW:,} new ones: p50 {1000 * half:.0f} ms, p95 {1000 * most:.0f} ms")
    print(f"p95 of a refresh at {LARGE:,} is {p95(found[LARGE]) / p95(found[SMALL]):.2f} times that at {SMALL:,}")


def test_fifty_browsers_polling_for_a_minute(homes: dict[int, Path]) -> None:
    home = homes[LARGE]
    seconds: list[float] = []
    errors: list[str] = []
    with served(home) as (address, process, _):
        stop = time.monotonic() + SECONDS

        def browse(number: int) -> None:
            try:
                poller = Poller(address, "?product=Mortgage" if number % 5 == 0 else "")
                time.sleep(number * PERIOD / BROWSERS)
                while time.monotonic() < stop:
                    taken, _ = poller.poll()
                    seconds.append(taken)
                    time.sleep(max(0.0, PERIOD - taken))
            except (httpx.HTTPError, AssertionError) as error:
                errors.append(repr(error))

        threads = [threading.Thread(target=browse, args=(number,)) for number in range(BROWSERS)]
        for thread in threads:
            thread.start()
        path, number = folder(home / "warehouse", PREDICTIONS), 0
        while time.monotonic() < stop:
            write_deltalake(path, predictions(2 * LARGE + number * NEW, NEW, number), mode="append")
            append(home / "warehouse", STREAM_PROGRESS, [batch(1_000 + number)])
            number += 1
            time.sleep(2)
        for thread in threads:
            thread.join()
        resident = process.memory_info().rss / 1e6
    print(
        f"\n{BROWSERS} browsers for {SECONDS} s at {LARGE:,} predictions, {NEW:,} more every two seconds: "
        f"{len(seconds)} polls, p50 {1000 * statistics.median(seconds):.0f} ms, p95 {1000 * p95(seconds):.0f} ms, "
        f"{len(errors)} errors, resident {resident:.0f} MB"
    )
    assert errors == []
