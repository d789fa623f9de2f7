"""The files of a single Kafka node: its jars, the properties that it reads, and what it writes about itself."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from solosolve.errors import BrokerError, MissingDependencyError
from solosolve.local.java import spark_jars

KAFKA_VERSION = "4.1.0"

CLIENTS, CONTROLLER = "CLIENTS", "CONTROLLER"
"""The listeners: one for clients and the broker itself, one for the node's metadata."""

LOG_FILE, CONSOLE_FILE = "server.log", "console.log"
"""The node's log, and what it prints before it opens that log."""

META_FILE = "meta.properties"
"""Present in a formatted data folder only."""

LOGGING = {
    "status": "error",
    # Log4j's own hook would close the log before the node explains why it stops.
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
    # At info level this class lists every property, again and again.
    "logger.config.name": "org.apache.kafka.common.config.AbstractConfig",
    "logger.config.level": "warn",
    "rootLogger.level": "info",
    "rootLogger.appenderRef.file.ref": "file",
}
"""Log4j 2 properties; the system property `solosolve.logs` names the folder of the logs."""

_FAILURE = re.compile(
    r"[\d-]+ [\d:.]+ (?:ERROR|FATAL) .*"
    r"|(?:Caused by: |Exception in thread \S+ )?(?:[\w$]+\.)+[\w$]*(?:Exception|Error)\b.*"
)
_MODULE = ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION)
_RESOLVE_SECONDS = 900.0
# The resolver's cache belongs to the user, and two resolvers at once leave each other half-written files.
_CACHE = Path("~/.ivy2")
# Kafka logs through SLF4J but ships no implementation of it. Spark's jars must precede Kafka's older slf4j-api.
_LOGGING_JARS = ("slf4j-api-*.jar", "log4j-slf4j2-impl-*.jar", "log4j-api-*.jar", "log4j-core-*.jar")


def server_properties(address: str, controller_port: int, protocol: str, data: Path) -> dict[str, str]:
    """Properties of one node that is both broker and controller, reachable from this machine only.

    Args:
        address: The address that clients use, `host:port`.
        controller_port: The port of the controller's listener on 127.0.0.1.
        protocol: The Kafka security protocol of the clients' listener.
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
        # A node restarted after a kill waits for its old session to expire: 9 s by default.
        "broker.session.timeout.ms": "5000",
        "broker.heartbeat.interval.ms": "1000",
        # A single node keeps one replica, and its internal topics do not need 50 partitions.
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
    """Writes a Java properties file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text("".join(f"{key}={_escaped(value)}\n" for key, value in properties.items()), encoding="ascii")


def new_cluster_id() -> str:
    """A random id in Kafka's format, a UUID in URL-safe base64, that no command line mistakes for an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def cluster_id_in(data: Path) -> str:
    """The cluster id of a formatted data folder.

    Raises:
        BrokerError: The folder's metadata has no cluster id.
    """
    path = data / META_FILE
    found = re.search(r"^cluster\.id=(\S+)$", path.read_text(encoding="utf-8") if path.is_file() else "", re.MULTILINE)
    if found is None:
        raise BrokerError(f"{path}: no cluster.id found, so {data} is not a data folder that Kafka has formatted")
    return found[1]


def last_failure(logs: Path) -> str:
    """The last line of a node's logs that reports a failure, and the folder of the logs."""
    paths = [path for name in (CONSOLE_FILE, LOG_FILE) if (path := logs / name).is_file()]
    lines = [line for path in paths for line in path.read_text("utf-8", "replace").splitlines() if line.strip()]
    failures = [line for line in lines if _FAILURE.match(line)]
    return f"{(failures or lines or ['it printed nothing'])[-1]} (logs: {logs})"


def kafka_classpath(java: str, cached: Path, log: Path, *, timeout_seconds: float = _RESOLVE_SECONDS) -> str:
    """The classpath of a broker; downloads Kafka's jars with Spark's resolver unless all are present.

    Args:
        java: The Java that runs the resolver.
        cached: The file that remembers where Kafka's jars are.
        log: The file for the resolver's output.
        timeout_seconds: When to give up the download.

    Returns:
        Paths of jars, in the format of Java's `-cp`.

    Raises:
        MissingDependencyError: The jars cannot be downloaded; the message names the log.
    """
    if not has_kafka_jars(cached):
        _resolve(java, cached, log, timeout_seconds)
    return os.pathsep.join([*(_spark_jar(pattern) for pattern in _LOGGING_JARS), *_jars_in(cached)])


def has_kafka_jars(cached: Path) -> bool:
    """Whether a cached classpath is that of `KAFKA_VERSION` and all its jars exist."""
    jars = _jars_in(cached) if cached.is_file() else []
    return any(KAFKA_VERSION in jar for jar in jars) and all(Path(jar).is_file() for jar in jars)


def _jars_in(cached: Path) -> list[str]:
    return cached.read_text(encoding="utf-8").strip().split(os.pathsep)


def _resolve(java: str, cached: Path, log: Path, timeout_seconds: float) -> None:
    part = cached.with_name(f"{cached.name}.part")
    part.unlink(missing_ok=True)
    ivy = [java, "-jar", _spark_jar("ivy-*.jar")]
    command = [*ivy, "-dependency", *_MODULE, "-confs", "default", "-cachepath", str(part)]
    cache = _CACHE.expanduser()
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "solosolve.lock"), log.open("wb") as output:
        try:
            code = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=timeout_seconds, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
    if code != 0 or not has_kafka_jars(part):
        raise MissingDependencyError(
            f"Cannot download the jars of Kafka {KAFKA_VERSION}: the first start needs internet access; "
            f"the resolver's output is in {log}"
        )
    part.replace(cached)


def _spark_jar(pattern: str) -> str:
    jars = spark_jars(pattern)
    if not jars:
        raise MissingDependencyError(
            f"PySpark's jars include no {pattern}; to check the installation: solosolve doctor"
        )
    return str(jars[-1])


def _escaped(value: str) -> str:
    """A value for java.util.Properties: a leading space, and all but printable ASCII, as UTF-16 escapes."""
    units = value.replace("\\", "\\\\").encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[place : place + 2]) for place in range(0, len(units), 2)]
    plain = range(0x21 if value.startswith(" ") else 0x20, 0x7F)
    return "".join(chr(code) if code in plain else f"\\u{code:04x}" for code in codes)
