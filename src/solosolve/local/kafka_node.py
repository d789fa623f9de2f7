"""The files of a single Kafka node: the properties that it reads, and what it writes about itself."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from pathlib import Path

from solosolve.errors import BrokerError

CLIENTS, CONTROLLER = "CLIENTS", "CONTROLLER"
"""The listeners: where clients and the broker itself connect, and where the node keeps its metadata."""

LOG_FILE, CONSOLE_FILE = "server.log", "console.log"
"""Where its log goes, and what it says before it has one."""

META_FILE = "meta.properties"
"""What makes a data folder a formatted one."""

LOGGING = {
    "status": "error",
    # The node's last words are the most telling ones.
    "shutdownHook": "disable",
    "appender.file.type": "RollingFile",
    "appender.file.name": "file",
    "appender.file.fileName": "${sys:solosolve.logs}/" + LOG_FILE,
    "appender.file.filePattern": "${sys:solosolve.logs}/" + LOG_FILE + ".%i",
    "appender.file.layout.type": "PatternLayout",
    "appender.file.layout.pattern": "%d{yyyy-MM-dd HH:mm:ss.SSS} %p %c{1}: %m%n",
    "appender.file.policies.type": "SizeBasedTriggeringPolicy",
    "appender.file.policies.size": "10MB",
    "appender.file.strategy.type": "DefaultRolloverStrategy",
    "appender.file.strategy.max": "3",
    # It lists every property there is, again and again.
    "logger.config.name": "org.apache.kafka.common.config.AbstractConfig",
    "logger.config.level": "warn",
    "rootLogger.level": "info",
    "rootLogger.appenderRef.file.ref": "file",
}
"""Properties of Log4j 2, which takes the folder from the system property `solosolve.logs`."""

_FAILURE = re.compile(
    r"[\d-]+ [\d:.]+ (?:ERROR|FATAL) .*"
    r"|(?:Caused by: |Exception in thread \S+ )?(?:[\w$]+\.)+[\w$]*(?:Exception|Error)\b.*"
)


def server_properties(address: str, controller_port: int, protocol: str, data: Path) -> dict[str, str]:
    """Properties of one node that is broker and controller, reachable from this machine only.

    Args:
        address: Where clients find it, `host:port`.
        controller_port: Where it keeps its own metadata, on 127.0.0.1.
        protocol: How clients log in: a Kafka security protocol.
        data: The folder of its data.
    """
    controller = f"127.0.0.1:{controller_port}"
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": f"{CLIENTS}://127.0.0.1:{address.rpartition(':')[2]},{CONTROLLER}://{controller}",
        "advertised.listeners": f"{CLIENTS}://{address},{CONTROLLER}://{controller}",
        "listener.security.protocol.map": f"{CLIENTS}:{protocol},{CONTROLLER}:PLAINTEXT",
        "inter.broker.listener.name": CLIENTS,
        "controller.listener.names": CONTROLLER,
        "controller.quorum.bootstrap.servers": controller,
        "log.dirs": str(data),
        "log.retention.hours": str(7 * 24),
        "auto.create.topics.enable": "false",
        "num.partitions": "2",
        "group.initial.rebalance.delay.ms": "0",
        # A killed node waits until its former self has timed out; that is nine seconds otherwise.
        "broker.session.timeout.ms": "5000",
        "broker.heartbeat.interval.ms": "1000",
        # One node holds one copy of everything, and needs no fifty partitions of its own topics.
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
    }


def write_properties(path: Path, properties: Mapping[str, str]) -> None:
    """Writes a Java properties file, for its owner's eyes only."""
    path.touch(mode=0o600)
    path.write_text("".join(f"{key}={_escaped(value)}\n" for key, value in properties.items()), encoding="ascii")


def new_cluster_id() -> str:
    """A random id as Kafka's own are: a UUID in URL-safe base64 that no command line takes for an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def cluster_id_in(data: Path) -> str:
    """The id that a formatted data folder has.

    Raises:
        BrokerError: The folder is not as Kafka leaves one.
    """
    path = data / META_FILE
    found = re.search(r"^cluster\.id=(\S+)$", path.read_text(encoding="utf-8") if path.is_file() else "", re.MULTILINE)
    if found is None:
        raise BrokerError(f"{path} names no cluster.id, as Kafka writes it there")
    return found[1]


def last_failure(logs: Path) -> str:
    """The last line of a node's logs that says what failed, and where there is more."""
    paths = [path for name in (CONSOLE_FILE, LOG_FILE) if (path := logs / name).is_file()]
    lines = [line for path in paths for line in path.read_text("utf-8", "replace").splitlines() if line.strip()]
    failures = [line for line in lines if _FAILURE.match(line)]
    return f"{(failures or lines or ['not a word'])[-1]} (more in {logs})"


def _escaped(value: str) -> str:
    """A value as java.util.Properties reads it: other than printable ASCII, and spaces that lead, as UTF-16 codes."""
    units = value.replace("\\", "\\\\").encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[place : place + 2]) for place in range(0, len(units), 2)]
    plain = range(0x21 if value.startswith(" ") else 0x20, 0x7F)
    return "".join(chr(code) if code in plain else f"\\u{code:04x}" for code in codes)
