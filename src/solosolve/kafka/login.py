"""How one logs in to Kafka: the same settings as options of Spark and of kafka-python."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from solosolve.errors import BrokerError
from solosolve.settings import Settings

CONNECT_MS = 5_000
"""The longest wait for a connection and its login."""

REQUEST_MS = 10_000
"""The longest wait for an answer."""

DELIVERY_MS = 30_000
"""The longest wait until a message is acknowledged, however often it is sent again."""


def spark_options(settings: Settings) -> dict[str, str]:
    """Options of Spark's Kafka source and sink: where the brokers are, and how to log in.

    Args:
        settings: Whose `kafka_*` settings are taken. On the platform Kafka's classes have a prefix
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


def client_options(settings: Settings) -> dict[str, Any]:
    """The same for the clients of kafka-python, with waits of seconds where theirs are minutes."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap.split(","),
        "client_id": "solosolve",
        "security_protocol": settings.kafka_security_protocol,
        "bootstrap_timeout_ms": CONNECT_MS,
        "request_timeout_ms": REQUEST_MS,
        "reconnect_backoff_max_ms": 1_000,
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"], options["sasl_plain_password"] = login_of(settings)
    if settings.kafka_ca_file is not None:
        options["ssl_cafile"] = str(settings.kafka_ca_file)
    return options


def login_of(settings: Settings) -> tuple[str, str]:
    """The user and the password, empty where there is none; the password's `repr` does not show it.

    Raises:
        BrokerError: They are in a secret scope that cannot be read.
    """
    if settings.kafka_secret_scope and not settings.kafka_password:
        return _login_in(settings.kafka_secret_scope)
    password = settings.kafka_password.get_secret_value() if settings.kafka_password else ""
    return settings.kafka_username or "", _Secret(password)


@lru_cache
def _login_in(scope: str) -> tuple[str, str]:
    """The scope's `kafka_username` and `kafka_password`, read as whoever runs the job."""
    # A laptop that logs in with the environment's words need not wait for the platform's client to be imported.
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.errors import DatabricksError

    try:
        secrets = WorkspaceClient().dbutils.secrets
        user, password = (secrets.get(scope, key) for key in ("kafka_username", "kafka_password"))
    except (DatabricksError, ValueError, OSError) as error:
        raise BrokerError(f"secret scope {scope}: cannot be read ({' '.join(str(error).split())})") from error
    return user, _Secret(password)


def reason_of(error: Exception, settings: Settings) -> str:
    """What an error says, in one line and without the password, whoever put it there."""
    line, (_, password) = " ".join(str(error).split()) or type(error).__name__, login_of(settings)
    return line.replace(password, "***") if password else line


def _jaas(settings: Settings) -> str:
    module = "plain.PlainLoginModule" if settings.kafka_sasl_mechanism == "PLAIN" else "scram.ScramLoginModule"
    shaded = "" if settings.is_local else "kafkashaded."
    user, password = (_quoted(word) for word in login_of(settings))
    return f"{shaded}org.apache.kafka.common.security.{module} required username={user} password={password};"


def _quoted(word: str) -> str:
    """A quoted word of a JAAS configuration, escaped as Java's StreamTokenizer reads it, which is what Kafka does."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        word = word.replace(plain, escaped)
    return f'"{word}"'


class _Secret(str):
    """Text that does not show where options are shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"
