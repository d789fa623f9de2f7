"""A real Kafka broker for the laptop: one KRaft node that listens on loopback only and outlives the command."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import psutil
from filelock import FileLock, Timeout
from rich.console import Console

from solosolve.errors import BrokerError, BusyError, MissingDependencyError, UsageError
from solosolve.kafka.client import cluster_id, ensure_topics
from solosolve.local.broker_process import (
    BrokerProcess,
    BrokerStatus,
    broker_folder,
    data_folder,
    free_port,
    is_listening,
    running_broker,
)
from solosolve.local.doctor import check_port, require_java
from solosolve.local.kafka_node import (
    CONSOLE_FILE,
    LOG_FILE,
    LOGGING,
    META_FILE,
    cluster_id_in,
    kafka_classpath,
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
# One node for one person: a quick start matters more than peak speed.
_JVM_OPTIONS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class Broker:
    """The broker of a home folder; all its files are in `<home>/kafka`."""

    def __init__(
        self, settings: Settings, *, extra: Mapping[str, str] | None = None, console: Console | None = None
    ) -> None:
        """Changes nothing yet.

        Args:
            settings: The home folder, the broker's address, and how clients log in.
            extra: Server properties that extend or override the defaults, such as accepted logins.
            console: Shows a spinner during waits.
        """
        self._settings = settings
        self._address = settings.kafka_bootstrap
        self._extra = dict(extra or {})
        self._console = console or Console(stderr=True)
        self._folder = broker_folder(settings.home)
        self._data = data_folder(settings.home)
        self._logs = self._folder / "logs"

    def start(self) -> BrokerStatus:
        """Starts the broker unless it is running, waits until it answers, and creates the project's topics.

        Returns:
            The broker; `is_new` is False if it was already running.

        Raises:
            UsageError: The settings name no address on this machine, or a protocol that the broker does not accept.
            MissingDependencyError: Java or Kafka's jars are missing, or the port is in use.
            BrokerError: It exited, or did not answer within a minute; the message quotes the last error in its log.
        """
        self._check_settings()
        with self._start_lock():
            running = self.status() or self._start()
            if running.address != self._address:
                raise UsageError(
                    f"kafka_bootstrap: found '{self._address}', but the broker of this home listens at "
                    f"{running.address}; stop it first with: solosolve kafka stop"
                )
            ensure_topics(self._settings, TOPICS)
        return running

    def stop(self) -> bool:
        """Asks the broker to shut down, and waits until its process has ended.

        Returns:
            Whether a broker was running.

        Raises:
            BrokerError: It did not shut down within half a minute.
        """
        recorded = BrokerProcess.load(self._settings.home)
        process = recorded.find() if recorded else None
        if process is None:
            return False
        with self._console.status("stopping Kafka"):
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except psutil.TimeoutExpired:
                raise BrokerError(
                    f"Kafka (pid {process.pid}) did not stop within {_STOP_SECONDS} s; to end it, run: "
                    f"kill -9 {process.pid} (acknowledged messages are on disk)"
                ) from None
        return True

    def status(self) -> BrokerStatus | None:
        """The running broker, or None; does not check whether it answers."""
        return running_broker(self._settings.home)

    @property
    def _port(self) -> int:
        return int(self._address.rpartition(":")[2])

    def _check_settings(self) -> None:
        protocol = self._settings.kafka_security_protocol
        if self._settings.kafka_port_here is None:
            raise UsageError(
                f"kafka_bootstrap: found '{self._address}', but a broker on this machine needs one address, "
                "127.0.0.1:PORT"
            )
        if protocol != "PLAINTEXT" and not self._extra:
            raise UsageError(
                f"kafka_security_protocol: found '{protocol}', but a broker started here accepts PLAINTEXT only"
            )

    def _start(self) -> BrokerStatus:
        java = require_java()
        port = check_port("Kafka port", self._port, "stop what listens there, or set SOLOSOLVE_KAFKA_BOOTSTRAP")
        if not port.is_ok:
            raise MissingDependencyError(f"{port.found}; {port.remedy}")
        self._logs.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)  # it holds complaints
        with self._console.status("fetching Kafka's jars"):
            classpath = kafka_classpath(java, self._folder / "classpath", self._logs / "jars.log")
        controller_port = self._write_configuration()
        log = self._logs / LOG_FILE
        if log.is_file():  # keeps an earlier run's errors out of `last_failure`
            log.replace(log.with_name(f"{LOG_FILE}.old"))
        logging = f"-Dlog4j2.configurationFile={(self._folder / 'log4j2.properties').as_uri()}"
        command = [java, *_JVM_OPTIONS, logging, f"-Dsolosolve.logs={self._logs}", "-cp", classpath]
        with self._console.status("starting Kafka"):
            if not (self._data / META_FILE).is_file():
                self._format(command)
            process = self._launch([*command, "kafka.Kafka", str(self._folder / "server.properties")])
            try:
                created = psutil.Process(process.pid).create_time()
                BrokerProcess(process.pid, created, self._address, controller_port).save(self._settings.home)
                self._wait_for(process)
            except BaseException:
                process.kill()
                process.wait()
                raise
        return BrokerStatus(self._address, process.pid, cluster_id_in(self._data), is_new=True)

    def _write_configuration(self) -> int:
        """Writes the files that the node reads when it starts; returns the controller's port."""
        last = BrokerProcess.load(self._settings.home)
        port = last.controller_port if last is not None else 0
        if not port or not check_port("controller", port, "").is_ok:
            port = free_port()
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
            raise BrokerError(f"Kafka could not format its data folder {self._data}: {last_failure(self._logs)}")

    def _launch(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Starts a program that keeps running when this one ends; its output goes to a file."""
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
                raise BrokerError(f"Kafka exited while starting: {last_failure(self._logs)}")
            # Connecting before it listens would only fill the log with failures.
            if is_listening(process.pid, self._port):
                with suppress(BrokerError):
                    cluster_id(self._settings)
                    return
            time.sleep(0.1)
        raise BrokerError(f"Kafka did not answer within {_START_SECONDS} s: {last_failure(self._logs)}")

    @contextmanager
    def _start_lock(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._folder / "start.lock", timeout=_LOCK_SECONDS):
                yield
        except Timeout:
            raise BusyError(
                f"Another command is still starting the Kafka broker in {self._folder} after {_LOCK_SECONDS} s; "
                "try again later"
            ) from None
