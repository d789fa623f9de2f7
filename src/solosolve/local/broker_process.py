"""The process of a home's Kafka broker: recorded when it starts, and recognised again by later commands."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from solosolve.local.kafka_node import cluster_id_in

_CLOCK_SECONDS = 2.0
"""How far a process's creation time can appear to shift when the machine's clock is set."""


@dataclass(frozen=True)
class BrokerStatus:
    """A running broker.

    Attributes:
        address: The address that clients use.
        pid: Its process.
        cluster_id: The cluster id of its data.
        is_new: Whether this call started it.
    """

    address: str
    pid: int
    cluster_id: str
    is_new: bool = False


@dataclass(frozen=True)
class BrokerProcess:
    """The broker that was started last. Its process id alone does not identify it, as ids are reused."""

    pid: int
    create_time: float
    address: str
    controller_port: int

    @classmethod
    def load(cls, home: Path) -> BrokerProcess | None:
        """Reads the record of the broker that a home started last; None if it never started one."""
        try:
            return cls(**json.loads(_record(home).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def save(self, home: Path) -> None:
        """Replaces the home's record."""
        part = _record(home).with_name("state.json.part")
        part.write_text(json.dumps(asdict(self)), encoding="utf-8")
        part.replace(_record(home))

    def find(self) -> psutil.Process | None:
        """The process, unless it has ended; another process with the same id does not count."""
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.create_time) < _CLOCK_SECONDS
            return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def broker_folder(home: Path) -> Path:
    """The folder of everything that a home's broker keeps."""
    return home.absolute() / "kafka"


def data_folder(home: Path) -> Path:
    """The folder of a broker's data."""
    return broker_folder(home) / "data"


def running_broker(home: Path) -> BrokerStatus | None:
    """A home's broker if its process is running; does not check whether it answers."""
    process = BrokerProcess.load(home)
    if process is None or process.find() is None:
        return None
    return BrokerStatus(process.address, process.pid, cluster_id_in(data_folder(home)))


def is_listening(pid: int, port: int) -> bool:
    """Whether a process listens on a TCP port."""
    try:
        sockets = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in sockets)


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _record(home: Path) -> Path:
    return broker_folder(home) / "state.json"
