"""The dashboard at 100,000 and at 10,000,000 predictions: weight, first paint, refreshes, memory, fifty browsers."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
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
from playwright.sync_api import Page, sync_playwright

from bench.figures import Figures
from solosolve.dashboard.views import layout
from solosolve.dashboard.views.tile_map import MAPPED_STATES
from solosolve.names import PREDICTIONS, STREAM_PROGRESS
from support.dashboard_process import served_by, serving
from support.pollers import Poller
from support.warehouses import PERFORMANCE, PRODUCTS, append, batch, folder, write_everything
from support.weights import weigh

SMALL, LARGE = 100_000, 10_000_000
ROWS_PER_FILE, NEW_PER_COMMIT = 500_000, 1_000
REFRESHES, BROWSERS, SECONDS, POLL_SECONDS = 40, 50, 60, 5.0
COMPANIES = pa.array([f"Company {number} of the register" for number in range(4_000)])
STATES = pa.array(sorted([*MAPPED_STATES, "PR", "AE"]))
GRAPHS = {
    "/": ("time", "distribution", "states", "companies"),
    "/model": ("reading", "calibration", "drift", "versions", *(f"performance-{name}" for name in PERFORMANCE)),
    "/data": ("batches",),
}
"""The figures of each room that has any."""
MAX_SCRIPT_BYTES = 1_000_000
_PATIENCE_MILLISECONDS = 120_000
_FIGURES = """names => JSON.stringify(
    names.map(name => document.querySelector(`#graph-${name} .js-plotly-plot`)).map(
        graph => ({data: graph.data, layout: graph.layout})
    ),
    (key, value) => ArrayBuffer.isView(value) ? Array.from(value) : value,
)"""
DAYS = 700
FIRST_DAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=DAYS)
"""The last instant is the present, so that the room Today has something new."""


def predictions(first_id: int, count: int, seed: int, part: tuple[float, float] = (1.0, 1.0)) -> pa.Table:
    """Generates predictions over a part of two years, spread over companies as unevenly as real complaints.

    Predictions that are added later all have the last instant, as those of a running stream would.
    """
    generator = np.random.default_rng(seed)
    company = np.minimum(generator.zipf(1.3, count) - 1, len(COMPANIES) - 1).astype(np.int32)
    probability = generator.beta(4, 2, count)
    seconds = generator.uniform(*part, count) * DAYS * 86_400.0
    at = pa.array((FIRST_DAY.timestamp() * 1e6 + seconds * 1e6).astype(np.int64), pa.timestamp("us", tz="UTC"))

    def decoded(codes: Any, names: pa.Array) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names).cast(pa.string())

    return pa.table(
        {
            "complaint_id": np.arange(first_id, first_id + count), "requested_at": at, "scored_at": at,
            "date_received": at.cast(pa.date32()),
            "company": decoded(company, COMPANIES),
            "state": decoded(generator.integers(0, len(STATES), count), STATES),
            "product": decoded(generator.integers(0, len(PRODUCTS), count), pa.array(PRODUCTS)),
            "submitted_via": pa.array(["Web"] * count), "probability": probability,
            "prediction": (probability >= 0.5).astype(float), "model_name": pa.array(["complaint_resolution"] * count),
            "model_version": np.full(count, 2, np.int32), "source": pa.array(["delta"] * count),
            "source_position": pa.nulls(count, pa.string()), "batch_id": np.full(count, 1, np.int64),
        }
    )  # fmt: skip


def write_home(home: Path, count: int) -> Path:
    """Writes every table that the dashboard reads, with `count` predictions in files of at most ROWS_PER_FILE.

    Each file has its own part of the time, because predictions are appended as they are made.
    """
    warehouse = home / "warehouse"
    write_everything(warehouse, predictions=10, now=FIRST_DAY + timedelta(days=DAYS))
    path = folder(warehouse, PREDICTIONS)
    DeltaTable(path).delete()
    size = min(ROWS_PER_FILE, count)
    for number, first in enumerate(range(0, count, size)):
        part = first / count, (first + size) / count
        write_deltalake(path, predictions(1 + first, size, number, part), mode="append")
    return home


@contextmanager
def running_server(home: Path) -> Iterator[tuple[str, psutil.Process, float]]:
    """Serves a home's dashboard.

    Yields:
        The address, the process, and the seconds until it is ready, which include the first read of the tables.
    """
    started = time.perf_counter()
    with serving(home, stderr=subprocess.DEVNULL, poll_seconds=layout.POLL_SECONDS) as (address, process):
        yield address, process, time.perf_counter() - started


@contextmanager
def bare_page(figures: str, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Serves a bare Dash page with figures, a JSON list; yields its address and the figures' names."""
    path = folder / "figures.json"
    path.write_text(figures, encoding="utf-8")
    command = [sys.executable, str(Path(__file__).with_name("bare_dash.py")), str(path)]
    with served_by(command, subprocess.DEVNULL) as (address, _):
        yield address, [str(number) for number in range(len(json.loads(figures)))]


def drawn_figures(page: Page, names: Sequence[str]) -> str:
    """The figures that a room has drawn, as a JSON list."""
    figures: str = page.evaluate(_FIGURES, list(names))
    return figures


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    return {count: write_home(tmp_path_factory.mktemp(f"dashboard_{count}"), count) for count in (SMALL, LARGE)}


@contextmanager
def fresh_page() -> Iterator[Page]:
    """A page of a browser that has nothing in its cache."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context().new_page()
        page.set_default_timeout(_PATIENCE_MILLISECONDS)
        yield page
        browser.close()


def first_paint(page: Page, address: str, graphs: Sequence[str]) -> float:
    """Returns the seconds from opening the page to having all figures drawn."""
    started = time.perf_counter()
    page.goto(address)
    for name in graphs:
        page.wait_for_selector(f"#graph-{name} .main-svg", state="attached")
    return time.perf_counter() - started


def median_first_paint(address: str, graphs: Sequence[str]) -> float:
    """Returns the median of five first paints, each in a fresh browser."""
    seconds = []
    for _ in range(5):
        with fresh_page() as page:
            seconds.append(first_paint(page, address, graphs))
    return statistics.median(seconds)


def refresh_seconds(home: Path, address: str, first_id: int) -> list[float]:
    """Returns the duration of each refresh after a commit of new predictions."""
    poller = Poller(address)
    poller.poll()
    path, seconds = folder(home / "warehouse", PREDICTIONS), []
    for number in range(REFRESHES):
        write_deltalake(path, predictions(first_id + number * NEW_PER_COMMIT, NEW_PER_COMMIT, number), mode="append")
        taken, panels = poller.poll()
        assert "panel-companies" in panels
        assert "panel-cards" not in panels
        seconds.append(taken)
    return seconds


def p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(0.95 * (len(seconds) - 1))]


def test_scripts_over_the_wire(tmp_path: Path, figures: Figures) -> None:
    write_everything(tmp_path / "warehouse")
    with running_server(tmp_path) as (address, _, _), fresh_page() as page:
        weights = weigh(page)
        first_paint(page, address, GRAPHS["/"])
        page.wait_for_load_state("networkidle")
        drawn = drawn_figures(page, GRAPHS["/"])
    with bare_page(drawn, tmp_path) as (bare_address, names), fresh_page() as page:
        bare = weigh(page)
        first_paint(page, bare_address, names)
    for script, size in sorted(weights.scripts.items(), key=lambda each: -each[1]):
        print(f"{size:>9,} bytes {script.removeprefix(address)}")
    figures.add(
        "scripts over the wire", f"{weights.total / 1e6:.2f} MB", f"bare Dash page: {bare.total / 1e6:.2f} MB",
        weights.total / bare.total, f"at most {MAX_SCRIPT_BYTES / 1e6:.1f} MB",
    )  # fmt: skip
    assert weights.total <= MAX_SCRIPT_BYTES


def test_first_paint_refreshes_and_memory_at_both_sizes(
    homes: dict[int, Path], figures: Figures, tmp_path: Path
) -> None:
    refreshes: dict[int, list[float]] = {}
    for count, home in homes.items():
        paints, bare = {}, {}
        with running_server(home) as (address, process, first_read):
            for path, graphs in GRAPHS.items():
                with fresh_page() as page:
                    first_paint(page, address + path, graphs)
                    drawn = drawn_figures(page, graphs)
                with bare_page(drawn, tmp_path) as (bare_address, names):
                    bare[path] = median_first_paint(bare_address, names)
                paints[path] = median_first_paint(address + path, graphs)
            refreshes[count] = refresh_seconds(home, address, LARGE + count)
            resident = process.memory_info().rss / 1e6
        half, most = statistics.median(refreshes[count]), p95(refreshes[count])
        print(f"\n{count:,} predictions: first read {first_read:.1f} s, resident memory {resident:.0f} MB")
        for path, paint in paints.items():
            print(f"first paint of {path}: {paint:.2f} s, {paint / bare[path]:.2f} times the bare page")
            figures.add(
                f"first paint of {path} at {count:,} predictions", f"{paint:.2f} s",
                f"bare Dash page with the same charts: {bare[path]:.2f} s", paint / bare[path],
            )  # fmt: skip
        figures.add(f"memory of the dashboard at {count:,}", f"{resident:.0f} MB")
        print(f"refresh after {NEW_PER_COMMIT:,} new predictions: p50 {1000 * half:.0f} ms, p95 {1000 * most:.0f} ms")
    ratio = p95(refreshes[LARGE]) / p95(refreshes[SMALL])
    small, large = (f"{1000 * p95(refreshes[count]):.0f} ms" for count in (SMALL, LARGE))
    figures.add(f"p95 of a refresh at {LARGE:,} predictions", large, f"at {SMALL:,}: {small}", ratio)
    print(f"p95 of a refresh at {LARGE:,} predictions: {ratio:.2f} times that at {SMALL:,}")


def test_fifty_browsers_polling_for_a_minute(homes: dict[int, Path], figures: Figures) -> None:
    home = homes[LARGE]
    seconds: list[float] = []
    errors: list[str] = []
    with running_server(home) as (address, process, _):
        stop = time.monotonic() + SECONDS

        def browse(number: int) -> None:
            try:
                poller = Poller(address, "?product=Mortgage" if number % 5 == 0 else "")
                time.sleep(number * POLL_SECONDS / BROWSERS)
                while time.monotonic() < stop:
                    taken, _ = poller.poll()
                    seconds.append(taken)
                    time.sleep(max(0.0, POLL_SECONDS - taken))
            except (httpx.HTTPError, AssertionError) as error:
                errors.append(repr(error))

        threads = [threading.Thread(target=browse, args=(number,)) for number in range(BROWSERS)]
        for thread in threads:
            thread.start()
        path, number = folder(home / "warehouse", PREDICTIONS), 0
        while time.monotonic() < stop:
            write_deltalake(
                path, predictions(2 * LARGE + number * NEW_PER_COMMIT, NEW_PER_COMMIT, number), mode="append"
            )
            append(home / "warehouse", STREAM_PROGRESS, [batch(1_000 + number)])
            number += 1
            time.sleep(2)
        for thread in threads:
            thread.join()
        resident = process.memory_info().rss / 1e6
    figures.add(f"p95 of a poll by {BROWSERS} browsers", f"{1000 * p95(seconds):.0f} ms, {len(errors)} errors")
    print(
        f"\n{BROWSERS} browsers for {SECONDS} s at {LARGE:,} predictions and {NEW_PER_COMMIT:,} new ones every 2 s: "
        f"{len(seconds)} polls, p50 {1000 * statistics.median(seconds):.0f} ms, p95 {1000 * p95(seconds):.0f} ms, "
        f"{len(errors)} errors, resident memory {resident:.0f} MB"
    )
    assert errors == []
