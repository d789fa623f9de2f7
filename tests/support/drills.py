"""Tools of the fault drills: the stream as a separate process, what it leaves on the disk, and multisets."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil

from solosolve.settings import Settings
from solosolve.storage.checkpoints import Checkpoint
from support.live import Live

LONG = os.environ.get("DRILLS") == "long"
"""Whether the drills run in full, rather than in a short form that fits into every test run."""

QUICK_START = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1"}
"""For programs that live a few seconds: JVMs start faster without the second compiler."""

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 120
_POLL_SECONDS = 0.002


class StreamProcess:
    """A program of the project with its JVM and its workers, in its own operating system session."""

    def __init__(self, settings: Settings, command: list[str], output: Path) -> None:
        """Starts it; its output goes to a file."""
        environment = {
            "SOLOSOLVE_HOME": str(settings.home),
            "SOLOSOLVE_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
            "SOLOSOLVE_DRIVER_MEMORY": "1g",
            **QUICK_START,
        }
        self._output = output
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                command, env=os.environ | environment, cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                start_new_session=True, preexec_fn=_heed_interrupts,
            )  # fmt: skip

    @property
    def output(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def require_running(self) -> None:
        assert self.exit_code is None, f"the stream ended with exit code {self.exit_code}: {self.output}"

    def wait_until(
        self, is_so: Callable[[], bool], seconds: float = _START_SECONDS, poll_seconds: float = _POLL_SECONDS
    ) -> None:
        """Waits until the running stream has brought something about."""
        deadline = time.monotonic() + seconds
        while not is_so():
            self.require_running()
            assert time.monotonic() < deadline, f"nothing came of it in {seconds} s: {self.output}"
            time.sleep(poll_seconds)

    def wait(self, seconds: float = _START_SECONDS) -> int:
        """Waits until it ends; returns the exit code."""
        return self._process.wait(seconds)

    def terminate(self) -> None:
        """Sends SIGTERM to the program itself, as the platform and `kill` do."""
        self._process.terminate()

    def interrupt(self) -> None:
        """Sends SIGINT to the program itself, as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    @property
    def descendants(self) -> list[psutil.Process]:
        """Its processes, and theirs."""
        return psutil.Process(self._process.pid).children(recursive=True)

    def kill(self) -> None:
        """Kills the process group, Python and the JVM, and waits until no process of the session is left."""
        if self.exit_code is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # Spark's workers have their own process group.
        while left := list(self._others()):
            for each in left:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            psutil.wait_procs(left, timeout=0.1)

    def _others(self) -> Iterator[psutil.Process]:
        for each in psutil.process_iter():
            with suppress(ProcessLookupError, psutil.NoSuchProcess):
                is_ours = os.getsid(each.pid) == self._process.pid
                if is_ours and each.status() != psutil.STATUS_ZOMBIE:
                    yield each


def _heed_interrupts() -> None:
    """Tests that run in the background ignore SIGINT, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def streaming(live: Live, source: str, **options: object) -> Iterator[StreamProcess]:
    """The stream of a home, started as the platform's job starts it; killed at the end if it still runs.

    Args:
        live: The home.
        source: delta or kafka.
        options: Options of `jobs/score_stream.py`, with underscores.
    """
    words = [f"--{name.replace('_', '-')}={value}" for name, value in {"source": source, **options}.items()]
    with program(live, [sys.executable, str(_ROOT / "jobs" / "score_stream.py"), *words]) as stream:
        yield stream


@contextmanager
def solosolve(live: Live, *words: str) -> Iterator[StreamProcess]:
    """The `solosolve` command, as a person runs it."""
    with program(live, [str(Path(sys.executable).with_name("solosolve")), *words]) as command:
        yield command


@contextmanager
def program(live: Live, command: list[str]) -> Iterator[StreamProcess]:
    outputs = live.settings.home / "outputs"
    outputs.mkdir(parents=True, exist_ok=True)
    process = StreamProcess(live.settings, command, outputs / f"{time.time_ns()}.txt")
    try:
        yield process
    finally:
        process.kill()


def finish(live: Live, source: str, **options: object) -> None:
    """Has another process of the stream score everything that is left."""
    with streaming(live, source, available_now="true", **options) as stream:
        assert stream.wait(600) == 0, stream.output


class Window(StrEnum):
    """How far a batch has got, as the disk shows it."""

    BETWEEN = "between batches, or the process has not reached the batch yet"
    PLANNED = "offsets/N exists, nothing of the batch is written"
    WRITTEN = "a data file exists, Delta has not committed it"
    COMMITTED = "Delta has committed the batch, commits/N does not exist"


@dataclass(frozen=True)
class Place:
    window: Window
    batch_id: int | None


class Disk:
    """What one process of the stream leaves on the disk, compared with what was there before it."""

    def __init__(self, settings: Settings, source: str) -> None:
        self.checkpoint = Checkpoint(settings.home / "checkpoints" / f"score_stream_{source}")
        self._table = settings.warehouse / "gold" / "predictions"
        self._application = f"score_stream_{source}-"
        self._logs_read: set[str] = set()
        self._referenced: set[str] = set()
        self._committed: set[int] = set()
        self._read_log()
        self._old_files, self._old_committed = self._data_files(), set(self._committed)
        self._old_planned = newest(self.checkpoint.folder / "offsets")

    def place(self) -> Place:
        """The window of the batch that the process is in, or died in."""
        planned = newest(self.checkpoint.folder / "offsets")
        if planned is None or planned == newest(self.checkpoint.folder / "commits"):
            return Place(Window.BETWEEN, None)
        files = self._data_files()
        self._read_log()
        if planned in self._committed:
            is_own = planned not in self._old_committed
            return Place(Window.COMMITTED if is_own else Window.BETWEEN, planned)
        if self._has_data_of(planned, files - self._old_files - self._referenced):
            return Place(Window.WRITTEN, planned)
        return Place(Window.PLANNED if planned != self._old_planned else Window.BETWEEN, planned)

    def _has_data_of(self, batch_id: int, files: set[str]) -> bool:
        """Whether a file is newer than the batch's plan: an empty batch leaves a file that no commit refers to."""
        if not files:
            return False
        planned_at = (self.checkpoint.folder / "offsets" / str(batch_id)).stat().st_mtime_ns
        return any((self._table / name).stat().st_mtime_ns >= planned_at for name in files)

    def _data_files(self) -> set[str]:
        return {name for name in listed(self._table) if name.endswith(".parquet")}

    def _read_log(self) -> None:
        folder = self._table / "_delta_log"
        for name in listed(folder):
            if name in self._logs_read or name.startswith(".") or not name.endswith(".json"):
                continue
            self._logs_read.add(name)
            for action in map(json.loads, (folder / name).read_text().splitlines()):
                if "add" in action:
                    self._referenced.add(action["add"]["path"])
                if action.get("txn", {}).get("appId", "").startswith(self._application):
                    self._committed.add(action["txn"]["version"])


def kill_in(stream: StreamProcess, disk: Disk, aim: Window, chance: random.Random, seconds: float = 120) -> Place:
    """Kills the stream in a window of one of its next batches, chosen by chance.

    Returns:
        Where the kill really hit it.
    """
    to_pass, late = chance.randrange(3) if LONG else 0, chance.choice((0.0, 0.0, chance.uniform(0, 0.03)))
    deadline, passed = time.monotonic() + seconds, set()
    while time.monotonic() < deadline:
        stream.require_running()
        place = disk.place()
        # A Delta stream's first batch may be the commit that created the table: it has no rows to lose.
        if place.window is aim and place.batch_id:
            passed.add(place.batch_id)
            if len(passed) > to_pass:
                time.sleep(late)
                break
        time.sleep(_POLL_SECONDS)
    stream.kill()
    return disk.place()


def listed(folder: Path) -> list[str]:
    """The names in a folder; none if it does not exist."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - one Path per file is too slow to hit a window
    except FileNotFoundError:
        return []


def newest(log: Path) -> int | None:
    """The newest batch in a checkpoint's `offsets` or `commits`."""
    return max((int(name) for name in listed(log) if name.isdigit()), default=None)


def unfinished(checkpoint: Checkpoint) -> set[int]:
    """The batches that are planned but not finished."""
    planned, finished = (
        {int(name) for name in listed(checkpoint.folder / log) if name.isdigit()} for log in ("offsets", "commits")
    )
    return planned - finished


def multiset_difference(actual: Counter[Any], expected: Counter[Any]) -> dict[str, Counter[Any]]:
    """What is in only one of two multisets; empty if they are equal."""
    sides = {"too many": actual - expected, "missing": expected - actual}
    return {name: side for name, side in sides.items() if side}


def assert_each_scored_once(live: Live, expected: Counter[int]) -> None:
    """Every request has one prediction, none is a dead letter, and no batch was scored by two models.

    The requests that came by Kafka are kept, each once.
    """
    assert multiset_difference(live.scored_ids(), expected) == {}
    assert multiset_difference(live.kept_positions(), live.scored_positions()) == {}
    assert live.query("select count(*) as n from bronze.dead_letters") == [{"n": 0}]
    assert mixed_batches(live) == []


def mixed_batches(live: Live) -> list[dict[str, object]]:
    """The batches that more than one version scored."""
    return live.query(
        "select source, batch_id, count(distinct model_version) as versions from gold.predictions "
        "where batch_id is not null group by 1, 2 having count(distinct model_version) > 1"
    )
