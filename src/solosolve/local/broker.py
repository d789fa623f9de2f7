"""A real Kafka broker for the laptop: one KRaft node that listens on loopback only and outlives the command."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

import psutil
from filelock import FileLock, Timeout
from rich.console import Console

from solosolve.errors import BrokerError, BusyError, MissingDependencyError, UsageError
from solosolve.kafka.client import cluster_id, ensure_topics
from solosolve.local.doctor import check_port, require_java
from solosolve.local.kafka_jars import java_command, kafka_classpath
from solosolve.local.kafka_node import (
    CONSOLE_FILE,
    LOG_FILE,
    LOGGING,
    META_FILE,
    cluster_id_in,
    last_failure,
    new_cluster_id,
    server_properties,
    write_properties,
)
from solosolve.names import TOPICS
from solosolve.settings import Settings

_START_SECONDS = 60
_STOP_SECONDS = 30
_LOCK_SECONDS = 120
_CLOCK_SECONDS = 2.0
"""By how much a process's creation seems to move when the machine's clock is set."""
# One node for one person: quick to start rather than fast after an hour.
_JVM_OPTIONS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


@dataclass(frozen=True)
class BrokerStatus:
    """A running broker.

    Attributes:
        address: Where it listens.
        pid: Its process.
        cluster_id: The id that its data was made with.
        is_new: Whether this call started it.
    """

    address: str
    pid: int
    cluster_id: str
    is_new: bool = False


@dataclass(frozen=True)
class _State:
    """The broker that was started last; it runs as long as this very process does."""

    pid: int
    create_time: float
    address: str
    controller_port: int


class Broker:
    """The broker of a home folder; all that it keeps is below `<home>/kafka`."""

    def __init__(
        self, settings: Settings, *, extra: Mapping[str, str] | None = None, console: Console | None = None
    ) -> None:
        """Changes nothing yet.

        Args:
            settings: Its home folder and address, and how its clients log in.
            extra: Server properties beside the laptop's own, such as the logins that it knows.
            console: Where a spinner turns while one has to wait.
        """
        self._settings = settings
        self._address = settings.kafka_bootstrap
        self._extra = dict(extra or {})
        self._console = console or Console(stderr=True)
        self._folder = settings.home.absolute() / "kafka"
        self._data = self._folder / "data"
        self._logs = self._folder / "logs"

    def start(self) -> BrokerStatus:
        """Starts the broker unless it runs, waits until it answers, and makes the project's topics.

        Returns:
            The broker; `is_new` is False where it ran already.

        Raises:
            UsageError: The settings name no address here that it could listen at, or a login that it does not know.
            MissingDependencyError: Java, the port or Kafka's jars are not to be had.
            BrokerError: It ended, or did not answer within a minute; the message has the last error of its log.
        """
        self._check_settings()
        with self._only_one():
            running = self.status() or self._start()
            if running.address != self._address:
                raise UsageError(
                    f"kafka_bootstrap: found '{self._address}', the broker of this home listens at {running.address}; "
                    "stop it first: solosolve kafka stop"
                )
            ensure_topics(self._settings, TOPICS)
        return running

    def stop(self) -> bool:
        """Asks the broker to end, and waits until it is gone.

        Returns:
            Whether there was one.

        Raises:
            BrokerError: It did not end within half a minute.
        """
        process = _process_of(self._state())
        if process is None:
            return False
        with self._console.status("stopping Kafka"):
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except psutil.TimeoutExpired:
                raise BrokerError(
                    f"the broker (pid {process.pid}) has not ended within {_STOP_SECONDS} s; end it with "
                    f"kill -9 {process.pid}: what it acknowledged is on disk"
                ) from None
        return True

    def status(self) -> BrokerStatus | None:
        """The running broker, None where there is none; does not ask whether it answers."""
        state = self._state()
        if state is None or _process_of(state) is None:
            return None
        return BrokerStatus(state.address, state.pid, cluster_id_in(self._data))

    @property
    def _port(self) -> int:
        return int(self._address.rpartition(":")[2])

    def _check_settings(self) -> None:
        protocol = self._settings.kafka_security_protocol
        if self._settings.kafka_port_here is None:
            raise UsageError(f"kafka_bootstrap: found '{self._address}', a broker started here has 127.0.0.1:PORT")
        if protocol != "PLAINTEXT" and not self._extra:
            raise UsageError(f"kafka_security_protocol: found '{protocol}', a broker started here takes PLAINTEXT")

    def _start(self) -> BrokerStatus:
        require_java()
        remedy = "stop what listens there, or set SOLOSOLVE_KAFKA_BOOTSTRAP"
        port = check_port("Kafka port", self._port, remedy)
        if not port.is_ok:
            raise MissingDependencyError(f"{port.found}; {port.remedy}")
        self._logs.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)  # complaints are in it
        java = java_command(os.environ)
        with self._console.status("fetching Kafka's jars"):
            classpath = kafka_classpath(java, self._folder / "classpath", self._logs / "jars.log")
        controller_port = self._write_configuration()
        if (self._logs / LOG_FILE).is_file():  # its errors are those of an earlier run
            (self._logs / LOG_FILE).replace(self._logs / f"{LOG_FILE}.old")
        logging = f"-Dlog4j2.configurationFile={(self._folder / 'log4j2.properties').as_uri()}"
        command = [java, *_JVM_OPTIONS, logging, f"-Dsolosolve.logs={self._logs}", "-cp", classpath]
        with self._console.status("starting Kafka"):
            if not (self._data / META_FILE).is_file():
                self._format(command)
            process = self._launch([*command, "kafka.Kafka", str(self._folder / "server.properties")])
            try:
                created = psutil.Process(process.pid).create_time()
                self._keep(_State(process.pid, created, self._address, controller_port))
                self._wait_for(process)
            except BaseException:
                process.kill()
                process.wait()
                raise
        return BrokerStatus(self._address, process.pid, cluster_id_in(self._data), is_new=True)

    def _write_configuration(self) -> int:
        """Writes what the node reads when it starts; gives the port of its controller."""
        state = self._state()
        port = state.controller_port if state is not None else 0
        if not port or not check_port("controller", port, "").is_ok:
            port = _free_port()
        base = server_properties(self._address, port, self._settings.kafka_security_protocol, self._data)
        write_properties(self._folder / "server.properties", base | self._extra)
        write_properties(self._folder / "log4j2.properties", LOGGING)
        return port

    def _format(self, command: list[str]) -> None:
        words = ["kafka.tools.StorageTool", "format", "--standalone", "--cluster-id", new_cluster_id(), "--config"]
        process = self._launch([*command, *words, str(self._folder / "server.properties")])
        try:
            is_done = process.wait(_START_SECONDS) == 0
        except subprocess.TimeoutExpired:
            process.kill()
            is_done = False
        if not is_done:
            raise BrokerError(f"Kafka could not make its data folder: {last_failure(self._logs)}")

    def _launch(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Starts a program that the end of this one does not end, its output in a file."""
        with (self._logs / CONSOLE_FILE).open("wb") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._folder,
                start_new_session=True,
            )

    def _wait_for(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise BrokerError(f"Kafka ended when it had just started: {last_failure(self._logs)}")
            # Asking earlier would only fill the log with failures.
            if _listens(process.pid, self._port):
                with suppress(BrokerError):
                    cluster_id(self._settings)
                    return
            time.sleep(0.1)
        raise BrokerError(f"Kafka has not answered within {_START_SECONDS} s: {last_failure(self._logs)}")

    def _state(self) -> _State | None:
        try:
            return _State(**json.loads((self._folder / "state.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def _keep(self, state: _State) -> None:
        part = self._folder / "state.json.part"
        part.write_text(json.dumps(asdict(state)), encoding="utf-8")
        part.replace(self._folder / "state.json")

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._folder / "start.lock", timeout=_LOCK_SECONDS):
                yield
        except Timeout:
            raise BusyError(f"another command has been starting this broker for {_LOCK_SECONDS} s") from None


def _process_of(state: _State | None) -> psutil.Process | None:
    """The process that a state speaks of, unless it has ended and another has got its number."""
    if state is None:
        return None
    try:
        process = psutil.Process(state.pid)
        is_it = abs(process.create_time() - state.create_time) < _CLOCK_SECONDS
        return process if is_it and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _listens(pid: int, port: int) -> bool:
    try:
        sockets = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in sockets)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
