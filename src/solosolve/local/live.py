"""A demo that is alive: the page, the stream, arrivals, outcomes and the loop, until it is interrupted."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from filelock import FileLock, Timeout
from rich.console import Console

from solosolve.clock import now
from solosolve.errors import UsageError
from solosolve.local.live_child import Child
from solosolve.local.live_desk import desk_of
from solosolve.local.live_files import LiveFiles
from solosolve.local.live_news import News
from solosolve.local.live_schedule import Schedule
from solosolve.local.live_start import LiveStart
from solosolve.local.live_turn import Turn
from solosolve.local.live_world import TICK_SECONDS, LivePlan, LiveWorld
from solosolve.local.processes import end_all, interrupted_by_signals
from solosolve.names import KAFKA_SOURCE, REQUESTS, REQUESTS_TOPIC, SourceName
from solosolve.settings import Settings
from solosolve.storage.registry import Registry
from solosolve.storage.store_reader import reader_of

_STOP_SECONDS = 12.0
_TRIGGER = "1 second"


@dataclass(frozen=True)
class LiveOptions:
    """What runs.

    Attributes:
        source: Where complaints arrive.
        host: The page's address.
        port: Its port.
        loop_minutes: Minutes from the start of one turn of the loop to that of the next; 0 for no loop.
        plan: What happens in the world.
    """

    source: SourceName
    host: str
    port: int
    loop_minutes: float
    plan: LivePlan


def run_live(settings: Settings, options: LiveOptions, console: Console) -> None:
    """Runs the demo until Ctrl-C or a signal.

    Raises:
        NoChampionError: There is no champion.
        UsageError: The home has complaints that are not made up, or another process runs the demo on it.
        BrokerError: Complaints are to arrive by Kafka, and no broker answers.
        ChildEndedError: A process ended by itself, or a turn of the loop failed.
    """
    # Before the first look at the home: two would give the same ids.
    with alone(settings):
        Live(settings, options, console).run()


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Keeps other processes from running the demo on the same home.

    Raises:
        UsageError: One does.
    """
    try:
        with FileLock(settings.lock_file("live"), timeout=0):
            yield
    except Timeout:
        raise UsageError(f"solosolve live is running in another process on {settings.home}: stop it first") from None


class Live:
    """One run of the demo."""

    def __init__(self, settings: Settings, options: LiveOptions, console: Console) -> None:
        """Looks at the home; starts nothing yet.

        Raises:
            NoChampionError: There is no champion.
            UsageError: The home has complaints that are not made up.
            BrokerError: Complaints are to arrive by Kafka, and no broker answers.
        """
        self._settings, self._options, self._console = settings, options, console
        self._files = LiveFiles(settings.home / "landing" / "live")
        Registry(settings).champion()
        begun_at, reader = now(), reader_of(settings)
        start = LiveStart.find(reader, self._files.highest_id, begun_at.date())
        self._desk = desk_of(options.source, settings, self._files)
        self._world = LiveWorld(options.plan, start.first_id, start.first_day, begun_at)
        self._news = News(reader, begun_at)
        self._children: list[Child] = []
        self._turn: Turn | None = None
        self._schedule = Schedule(options.loop_minutes, begun_at + timedelta(minutes=options.loop_minutes))
        self._has_shifted = self._is_over = False

    def run(self) -> None:
        """Runs until Ctrl-C or a signal, then ends every process.

        Raises:
            ChildEndedError: A process ended by itself, or a turn of the loop failed.
        """
        with interrupted_by_signals():
            try:
                self._begin()
                while True:
                    self._tick(now())
                    time.sleep(TICK_SECONDS)
            except KeyboardInterrupt:
                self._say("stopping: the stream finishes its batch")
            finally:
                self._end()

    def _begin(self) -> None:
        options, plan, logs = self._options, self._options.plan, self._settings.logs
        page = ["dashboard", "--host", options.host, "--port", str(options.port)]
        stream = ["run", "score_stream", f"--param=source={options.source}", f"--param=trigger={_TRIGGER}"]
        self._children.append(Child.start("the page", page, logs / "live_page.log"))
        self._children.append(Child.start("the stream", stream, logs / "live_stream.log"))
        where = REQUESTS_TOPIC if options.source == KAFKA_SOURCE else REQUESTS
        self._say(f"the page: http://{options.host}:{options.port}")
        self._say(f"the stream: scores what arrives in {where}")
        self._say(f"arrivals: {plan.rate:g} made-up complaints a second, {plan.at_most:,} at most")
        self._say(f"outcomes: of {plan.share:.0%} of them, {plan.delay:g} s later")
        if options.loop_minutes:
            self._say(f"the loop: every {options.loop_minutes:g} minutes lands, measures and retrains if that is due")
        if plan.shift_at is not None:
            self._say(f"the world: changes in {plan.shift_at:g} s")
        self._say(f"press Ctrl-C to stop all of it; the logs are in {logs}")

    def _tick(self, at: datetime) -> None:
        if arrivals := self._world.arrive(at):
            # In the file first: after a kill in between, no id is used again.
            self._files.add_arrivals(arrivals)
            self._desk.request(arrivals)
        if outcomes := self._world.report(at):
            self._desk.report(outcomes)
            self._schedule.outcome_count += len(outcomes)
        for child in self._children:
            child.require_running()
        self._advance_loop(at)
        self._tell(at)

    def _advance_loop(self, at: datetime) -> None:
        if self._turn is not None and self._turn.is_done():
            self._turn = None
        has_files, expects_outcomes = self._files.are_waiting, self._world.expects_outcomes
        if self._turn is None and self._schedule.is_due(at, has_files=has_files, expects_outcomes=expects_outcomes):
            self._schedule.begin(at)
            self._files.close(at)
            self._turn = Turn.start(self._files, self._desk.feedback_source, self._settings.logs, at)

    def _tell(self, at: datetime) -> None:
        if self._world.has_shifted(at) and not self._has_shifted:
            self._has_shifted = True
            self._say("the world has changed: what a narrative mentions now has the opposite effect")
        if self._world.is_over and not self._is_over:
            self._is_over = True
            self._say("no more complaints arrive (--at-most)")
        for line in self._news.lines():
            self._say(line)

    def _end(self) -> None:
        # A second Ctrl-C or signal would keep some from being ended.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        running = [each.process for each in self._children]
        if self._turn is not None:
            running.append(self._turn.child.process)
            if self._turn.child.process.poll() is None:
                self._say(f"a turn of the loop is cut off; the next start completes it, or: {self._turn.repair}")
        end_all(running, _STOP_SECONDS)
        self._say("stopped")

    def _say(self, line: str) -> None:
        # A terminal that was closed takes no more lines, and processes have to be ended all the same.
        with suppress(OSError):
            self._console.print(f"{now().astimezone():%H:%M:%S}  {line}", highlight=False, soft_wrap=True, markup=False)
