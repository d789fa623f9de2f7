"""A real Spark standalone cluster on this machine: a master and some workers that listen on loopback only."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from solosolve.errors import ClusterError
from solosolve.local.broker_process import free_port
from solosolve.local.java import spark_program
from solosolve.local.processes import end, end_with_parent

_START_SECONDS = 90
_STOP_SECONDS = 20
_HOST = "127.0.0.1"
_NOT_INHERITED = ("SOLOSOLVE_", "SPARK_", "PYSPARK_", "PYTHON")
"""A node of a cluster knows nothing of the shell in which a job is submitted, least of all where its code is."""


@dataclass
class SparkCluster:
    """A standalone master and its workers, each a process of this one, and on Linux ending with it.

    Attributes:
        folder: Where the cluster keeps its logs, its executors' folders and their output.
        worker_count: The number of workers.
        cores: What each worker offers.
        memory: What each worker offers, as Java writes it.
    """

    folder: Path
    worker_count: int = 2
    cores: int = 1
    memory: str = "1500m"
    _port: int = field(default_factory=free_port)
    _web_port: int = field(default_factory=free_port)
    _master: subprocess.Popen[bytes] | None = None
    _workers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """What `spark.master` and `spark-submit --master` take."""
        return f"spark://{_HOST}:{self._port}"

    def __enter__(self) -> Self:
        """Starts the cluster and waits until all workers have registered.

        Raises:
            ClusterError: It did not start within a minute and a half; the message names the logs.
            MissingDependencyError: PySpark's programs are missing.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        ports = ("--port", str(self._port), "--webui-port", str(self._web_port))
        try:
            self._master = self._launch("master", "org.apache.spark.deploy.master.Master", "--host", _HOST, *ports)
            # A worker that does not reach the master waits for seconds before it tries again.
            self._wait_for(lambda: self._state() is not None)
            for number in range(self.worker_count):
                self.start_worker(number)
            self._wait_for(lambda: self.alive_workers() == self.worker_count)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops every process of the cluster."""
        self._stop()

    def start_worker(self, number: int) -> None:
        """Starts a worker, in place of an earlier one with the same number."""
        offer = ("--cores", str(self.cores), "--memory", self.memory, "--work-dir", str(self.folder / "executors"))
        place = ("--host", _HOST, "--port", "0", "--webui-port", "0")
        kind = "org.apache.spark.deploy.worker.Worker"
        self._workers[number] = self._launch(f"worker-{number}", kind, *place, *offer, self.address)

    def kill_worker(self, number: int) -> None:
        """Kills a worker with its executor and Python processes, as the loss of a machine does."""
        end(self._workers.pop(number), 0)

    def alive_workers(self) -> int:
        """The number of workers that the master counts on."""
        state = self._state()
        return 0 if state is None else int(state["aliveworkers"])

    def busy_worker(self) -> int | None:
        """A worker that runs Python processes, so that tasks of a job are on it; None if there is none."""
        for number, worker in self._workers.items():
            with suppress(psutil.NoSuchProcess):
                children = psutil.Process(worker.pid).children(recursive=True)
                if any("pyspark.daemon" in _words(each) for each in children):
                    return number
        return None

    def _launch(self, name: str, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as output:
            return subprocess.Popen(
                [spark_program("spark-class"), kind, *arguments],
                cwd=self.folder, env=_node_environment(os.environ), stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True, preexec_fn=end_with_parent,
            )  # fmt: skip

    def _wait_for(self, is_so: Any) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not is_so():
            processes = [self._master, *self._workers.values()]
            if time.monotonic() > deadline or any(each and each.poll() is not None for each in processes):
                raise ClusterError(f"the Spark cluster did not start; its logs are in {self.folder}")
            time.sleep(0.2)

    def _state(self) -> dict[str, Any] | None:
        """What the master says of itself; None while it does not answer."""
        try:
            with urlopen(f"http://{_HOST}:{self._web_port}/json/", timeout=5) as answer:
                state: dict[str, Any] = json.load(answer)
                return state
        except (URLError, OSError, ValueError):
            return None

    def _stop(self) -> None:
        # Workers first: one that loses its master tries to find it again.
        for each in [*self._workers.values(), *([self._master] if self._master else [])]:
            end(each, _STOP_SECONDS)
        self._workers.clear()
        self._master = None


def _node_environment(environ: Mapping[str, str]) -> dict[str, str]:
    own = {name: value for name, value in environ.items() if not name.startswith(_NOT_INHERITED)}
    # Otherwise the pages of master and workers would listen on every address of the machine.
    return own | {"SPARK_LOCAL_IP": _HOST, "SPARK_DAEMON_MEMORY": "256m"}


def _words(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return list(process.cmdline())
    return []
