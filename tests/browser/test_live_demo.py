"""`solosolve live` in a browser: the page moves, and Ctrl-C ends everything without a loss."""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from solosolve.local.broker_process import free_port
from solosolve.local.conservation import conservation_checks
from solosolve.samples.arrivals import FIRST_ARRIVAL_ID
from solosolve.storage.delta_reader import DeltaReader
from support.browsers import visit
from support.builders import settings_in
from support.drills import LONG, StreamProcess, solosolve
from support.live import Live

DOCS = Path(__file__).parents[2] / "docs"
DEMO = ("medallion", "train_model", "score_batch")
FAST = ("--rate=20", "--delay=5")
SHIFT_MINUTES = 40
"""How long a change may take to be learned, also on a machine that does other things."""


@contextmanager
def living(live: Live, *words: str) -> Iterator[tuple[StreamProcess, str]]:
    """The demo of a home, and the page's address."""
    port = free_port()
    with solosolve(live, "live", f"--port={port}", *words) as command:
        yield command, f"http://127.0.0.1:{port}"


def new_complaints(page: Page) -> int:
    """The number on the page's first tile; 0 as long as it has none."""
    value = page.locator("#panel-new .tile-value").first
    return int(value.inner_text().replace(",", "")) if value.count() else 0


def opens(page: Page, address: str) -> bool:
    """Whether the page is served by now."""
    try:
        page.goto(address)
    except Exception as error:
        if "ERR_CONNECTION_REFUSED" in str(error):
            return False
        raise
    return True


def require_clean_stop(demo: StreamProcess, live: Live) -> None:
    """Presses Ctrl-C: every process ends soon, without a stack trace, and no request is lost or answered twice."""
    processes = demo.descendants
    assert len(processes) > 2
    started = time.monotonic()
    demo.interrupt()
    assert demo.wait(60) == 0, demo.output
    assert time.monotonic() - started < (30 if LONG else 20)
    assert psutil.wait_procs(processes, timeout=2)[1] == []
    assert "Traceback" not in demo.output
    live.stream()
    reader = DeltaReader(live.settings.warehouse)
    checks = conservation_checks(reader, set(reader.tables()), None)
    assert [check.statement for check in checks if check.left != check.right] == []
    ids = reader.query("select complaint_id from bronze.inference_requests").column(0).to_pylist()
    assert len(ids) == len(set(ids)) > 0


def test_page_moves_while_complaints_arrive_and_ctrl_c_ends_it_cleanly(browser: Browser, live: Live) -> None:
    with living(live, *FAST, "--loop-every=0") as (demo, address), visit(browser, address) as visited:
        page = visited.page
        demo.wait_until(lambda: opens(page, address), poll_seconds=0.5)
        demo.wait_until(lambda: new_complaints(page) > 0, poll_seconds=0.5)
        first = new_complaints(page)
        demo.wait_until(lambda: new_complaints(page) > first, poll_seconds=0.5)
        assert visited.problems == []
        require_clean_stop(demo, live)


def test_process_that_ends_by_itself_ends_the_demo_and_says_why(live: Live) -> None:
    with living(live, "--loop-every=0", "--host=192.0.2.1") as (demo, _):
        assert demo.wait() == 1
        assert "solosolve: the page ended with exit code" in demo.output
        assert "Traceback" not in demo.output


@pytest.mark.skipif(not LONG, reason="takes about 20 minutes: make faults")
def test_change_of_the_world_is_seen_learned_and_shown(browser: Browser, tmp_path: Path) -> None:
    live = Live(None, settings_in(tmp_path / "home"))
    sample = str(tmp_path / "home" / "landing" / "sample.csv")
    for words in (("sample", "--to", sample), ("run", *DEMO, f"--param=medallion.source={sample}")):
        with solosolve(live, *words) as command:
            assert command.wait(SHIFT_MINUTES * 60) == 0, command.output
    with living(live, "--shift") as (demo, address), visit(browser, address) as visited:
        demo.wait_until(lambda: "version 2 promoted" in demo.output, SHIFT_MINUTES * 60, poll_seconds=5)
        assert "the world has changed" in demo.output
        page = visited.page
        page.goto(f"{address}/model")
        demo.wait_until(lambda: "version 2" in page.locator("body").inner_text().lower(), poll_seconds=1)
        scored = "select count(*) as n from gold.predictions where model_version = 2 and source = 'delta'"
        demo.wait_until(lambda: live.query(scored)[0]["n"] > 0, poll_seconds=1)


@pytest.mark.skipif("RECORDING" not in os.environ, reason="makes docs/live.gif from a demo's home: make recording")
def test_recording_for_the_docs(browser: Browser, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(os.environ["RECORDING"], home, ignore=shutil.ignore_patterns("kafka", "logs"))
    live = Live(None, settings_in(home))
    scored = f"select count(*) as n from gold.predictions where complaint_id >= {FIRST_ARRIVAL_ID}"
    before = live.query(scored)[0]["n"]
    frames: list[Image.Image] = []
    with living(live, "--rate=8", "--loop-every=0") as (demo, address), visit(browser, address, (1280, 800)) as visited:
        demo.wait_until(lambda: live.query(scored)[0]["n"] > before, poll_seconds=1)
        demo.wait_until(lambda: opens(visited.page, address), poll_seconds=0.5)
        for path, seconds in (("/?since=15m", 14), ("/complaints", 5), ("/review", 4), ("/model", 5), ("/data", 6)):
            expect(visited.open(path).locator(".room:not([hidden]) .loading")).to_have_count(0)
            for _ in range(seconds):
                frames.append(Image.open(io.BytesIO(visited.page.screenshot())).convert("RGB").resize((840, 525)))
                visited.page.wait_for_timeout(1_000)
    first, *others = (frame.quantize(48, dither=Image.Dither.NONE) for frame in frames)
    first.save(DOCS / "live.gif", save_all=True, append_images=others, duration=600, loop=0, optimize=True)
    assert (DOCS / "live.gif").stat().st_size < 3_000_000
