"""How to log in to Kafka: the settings as options of Spark and of kafka-python, and the reason when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kafka.errors import KafkaError, KafkaTimeoutError, SaslAuthenticationFailedError
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from solosolve.errors import BrokerError, SettingsError
from solosolve.settings import Settings


@dataclass(frozen=True)
class Timeouts:
    """Timeouts of a kafka-python client, in milliseconds; its own defaults are minutes.

    Attributes:
        connect_ms: For a connection and its login.
        request_ms: For the answer to a request.
        delivery_ms: For the acknowledgement of a message, all retries included.
    """

    connect_ms: int = 5_000
    request_ms: int = 10_000
    delivery_ms: int = 30_000


DEFAULT_TIMEOUTS = Timeouts()

_CONNECTION_ERRORS = (KafkaError, OSError, RuntimeError, ValueError)
"""What kafka-python raises when a broker is down, refuses the login or speaks another protocol."""


def spark_options(settings: Settings) -> dict[str, str]:
    """Options of Spark's Kafka source and sink: the brokers' addresses and the login.

    Args:
        settings: The `kafka_*` settings apply. On the platform, Kafka's classes are shaded
            (https://docs.databricks.com/aws/en/connect/streaming/kafka/authentication).
    """
    options = {
        "kafka.bootstrap.servers": settings.kafka_bootstrap,
        "kafka.security.protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        options["kafka.sasl.mechanism"] = settings.kafka_sasl_mechanism
        options["kafka.sasl.jaas.config"] = _Secret(_jaas(settings))
    if settings.kafka_ca_file is not None:
        options["kafka.ssl.truststore.type"] = "PEM"
        options["kafka.ssl.truststore.location"] = str(settings.kafka_ca_file)
    return options


def client_options(settings: Settings, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> dict[str, Any]:
    """Options of every kafka-python client: the brokers' addresses, the login and the timeouts."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap.split(","),
        "client_id": "solosolve",
        "security_protocol": settings.kafka_security_protocol,
        "bootstrap_timeout_ms": timeouts.connect_ms,
        "request_timeout_ms": timeouts.request_ms,
        "reconnect_backoff_max_ms": 1_000,
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"], options["sasl_plain_password"] = credentials(settings)
    if settings.kafka_ca_file is not None:
        options["ssl_cafile"] = str(settings.kafka_ca_file)
    return options


def credentials(settings: Settings) -> tuple[str, str]:
    """The user name and the password, both empty when none are set; the password's `repr` is masked.

    Raises:
        BrokerError: They are in a secret scope that cannot be read.
    """
    if settings.kafka_secret_scope and not settings.kafka_password:
        return _credentials_in(settings.kafka_secret_scope)
    password = settings.kafka_password.get_secret_value() if settings.kafka_password else ""
    return settings.kafka_username or "", _Secret(password)


@lru_cache
def _credentials_in(scope: str) -> tuple[str, str]:
    """Reads the scope's `kafka_username` and `kafka_password` with the rights of whoever runs the job."""
    # The platform's client is slow to import, and a laptop that takes its login from the environment never needs it.
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.errors import DatabricksError

    try:
        secrets = WorkspaceClient().dbutils.secrets
        user, password = (secrets.get(scope, key) for key in ("kafka_username", "kafka_password"))
    except (DatabricksError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise BrokerError(
            f"Cannot read the Kafka login (kafka_username, kafka_password) in secret scope {scope}: {reason}"
        ) from error
    return user, _Secret(password)


def check_login(settings: Settings, timeouts: Timeouts) -> None:
    """Connects and logs in once, and raises the reason if that fails; kafka-python's clients would report a timeout.

    Raises:
        SettingsError: `kafka_ca_file` does not exist.
        KafkaError: No broker answers, or every broker refuses the login; `broker_errors` lists what else comes up.
    """
    if settings.kafka_ca_file is not None and not settings.kafka_ca_file.is_file():
        raise SettingsError(f"kafka_ca_file: found '{settings.kafka_ca_file}', but there is no such file")
    options = client_options(settings, timeouts)
    network = NetworkSelector(**options)
    manager = KafkaConnectionManager(network, **options)
    wait_ms = timeouts.connect_ms
    failure: Exception | None = None
    try:
        for broker in manager.cluster.bootstrap_brokers():
            connection = manager.get_connection(broker.node_id, timeout_ms=wait_ms, refresh_metadata_on_err=False)
            network.poll(timeout_ms=wait_ms, future=connection.init_future)
            if connection.init_future.succeeded():
                return
            failure = connection.init_future.exception or KafkaTimeoutError(f"no answer within {wait_ms / 1000:g} s")
            if connection.broker_version is not None:
                # It answered before it hung up, as a broker does on a bad login, and its reason may have been lost.
                failure = SaslAuthenticationFailedError(f"the login of {settings.kafka_username} failed ({failure})")
    finally:
        manager.close()
        network.close()
    if failure is not None:
        raise failure


@contextmanager
def broker_errors(settings: Settings) -> Iterator[None]:
    """Turns what kafka-python raises in the block into a BrokerError, with the password masked.

    Raises:
        BrokerError: A broker cannot be reached, refuses the login or speaks another protocol; the message has the
            address and the reason.
    """
    try:
        yield
    except _CONNECTION_ERRORS as error:
        address = f"{settings.kafka_bootstrap} ({settings.kafka_security_protocol})"
        is_startable = settings.kafka_port_here is not None and "ECONNREFUSED" in str(error)
        remedy = "; to start a broker here, run: solosolve kafka start" if is_startable else ""
        raise BrokerError(
            f"Cannot reach or log in to Kafka at {address}: {reason_of(error, settings)}{remedy}"
        ) from error


def reason_of(error: Exception, settings: Settings) -> str:
    """An error's message on one line, with the password masked wherever it occurs."""
    line, (_, password) = " ".join(str(error).split()) or type(error).__name__, credentials(settings)
    return line.replace(password, "***") if password else line


def _jaas(settings: Settings) -> str:
    module = "plain.PlainLoginModule" if settings.kafka_sasl_mechanism == "PLAIN" else "scram.ScramLoginModule"
    shaded = "" if settings.is_local else "kafkashaded."
    user, password = (_quoted(word) for word in credentials(settings))
    return f"{shaded}org.apache.kafka.common.security.{module} required username={user} password={password};"


def _quoted(word: str) -> str:
    """A quoted word of a JAAS configuration; Kafka unescapes it with Java's StreamTokenizer."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        word = word.replace(plain, escaped)
    return f'"{word}"'


class _Secret(str):
    """Text whose `repr` is masked, so that printed options do not leak it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"
