from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from solosolve.errors import BrokerError, SettingsError
from solosolve.kafka.client import cluster_id
from solosolve.kafka.login import Timeouts, broker_errors, client_options, spark_options
from solosolve.settings import Settings

SECRET = 'p"a\\ss\nword'
LOGIN = {"kafka_username": "solo", "kafka_password": SECRET}
_ESCAPES = {"n": "\n", "r": "\r"}


def jaas_values(config: str) -> dict[str, str]:
    """The options of a JAAS configuration, unquoted as Java's StreamTokenizer does it."""
    quoted = re.findall(r'(\w+)="((?:[^"\\\n\r]|\\.)*)"', config, re.DOTALL)
    return {name: re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), word) for name, word in quoted}


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The address of a server that accepts connections and never sends a byte."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_options_without_a_login_are_the_addresses_and_the_protocol() -> None:
    settings = Settings(kafka_bootstrap="a:1,b:2")
    assert spark_options(settings) == {
        "kafka.bootstrap.servers": "a:1,b:2",
        "kafka.security.protocol": "PLAINTEXT",
    }
    options = client_options(settings)
    assert (options["bootstrap_servers"], options["security_protocol"]) == (["a:1", "b:2"], "PLAINTEXT")
    assert [name for name in options if name.startswith(("sasl", "ssl"))] == []


@pytest.mark.parametrize(
    ("mechanism", "module"),
    [
        ("PLAIN", "plain.PlainLoginModule"),
        ("SCRAM-SHA-256", "scram.ScramLoginModule"),
        ("SCRAM-SHA-512", "scram.ScramLoginModule"),
    ],
)
def test_options_with_a_login_name_its_mechanism_and_module(mechanism: Any, module: str) -> None:
    settings = Settings(kafka_security_protocol="SASL_SSL", kafka_sasl_mechanism=mechanism, **LOGIN)
    spark, client = spark_options(settings), client_options(settings)
    assert spark["kafka.sasl.mechanism"] == client["sasl_mechanism"] == mechanism
    assert spark["kafka.sasl.jaas.config"].startswith(f"org.apache.kafka.common.security.{module} required username=")
    assert jaas_values(spark["kafka.sasl.jaas.config"]) == {"username": "solo", "password": SECRET}
    assert (client["sasl_plain_username"], client["sasl_plain_password"]) == ("solo", SECRET)


def test_options_on_the_platform_name_the_shaded_login_module() -> None:
    settings = Settings(target="prod", kafka_security_protocol="SASL_SSL", **LOGIN)
    assert spark_options(settings)["kafka.sasl.jaas.config"].startswith("kafkashaded.org.apache.kafka.common.")


def test_options_with_certificates_name_the_file() -> None:
    settings = Settings(kafka_security_protocol="SSL", kafka_ca_file=Path("/certificates/ca.pem"))
    spark = spark_options(settings)
    assert (spark["kafka.ssl.truststore.type"], spark["kafka.ssl.truststore.location"]) == (
        "PEM",
        "/certificates/ca.pem",
    )
    assert client_options(settings)["ssl_cafile"] == "/certificates/ca.pem"


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_login_survives_quoting(user: str, password: str) -> None:
    settings = Settings(kafka_security_protocol="SASL_SSL", kafka_username=user, kafka_password=password)
    config = spark_options(settings)["kafka.sasl.jaas.config"]
    assert jaas_values(config) == {"username": user, "password": password}
    assert not {"\n", "\r"} & set(config)


def test_login_cannot_break_out_of_its_quotes() -> None:
    settings = Settings(
        kafka_security_protocol="SASL_SSL", kafka_username='x" user_x="y', kafka_password='z"; evil.Module required;'
    )
    assert jaas_values(spark_options(settings)["kafka.sasl.jaas.config"]).keys() == {"username", "password"}


def test_printed_options_do_not_show_the_password() -> None:
    settings = Settings(kafka_security_protocol="SASL_SSL", kafka_username="solo", kafka_password="hunter2")
    shown = f"{spark_options(settings)} {client_options(settings)!r} {settings!r}"
    assert "hunter2" not in shown


@pytest.mark.parametrize("client", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_client_options_are_accepted_by_every_client(client: Any) -> None:
    settings = Settings(kafka_security_protocol="SASL_SSL", kafka_ca_file=Path("ca.pem"), **LOGIN)
    assert client_options(settings).keys() - client.DEFAULT_CONFIG.keys() == set()


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
def test_login_at_a_silent_server_times_out(silent_server: str, protocol: Any) -> None:
    settings = Settings(kafka_bootstrap=silent_server, kafka_security_protocol=protocol, **LOGIN)
    started = time.monotonic()
    with pytest.raises(BrokerError, match=re.escape(f"at {silent_server} ({protocol}): ")):
        cluster_id(settings, Timeouts(connect_ms=300))
    assert time.monotonic() - started < 3


def test_login_with_a_missing_certificate_file_is_a_wrong_setting(tmp_path: Path) -> None:
    settings = Settings(kafka_security_protocol="SSL", kafka_ca_file=tmp_path / "ca.pem")
    with pytest.raises(SettingsError, match=r"kafka_ca_file: found '.*ca\.pem', but there is no such file"):
        cluster_id(settings)


def test_broker_error_masks_a_quoted_password() -> None:
    settings = Settings(kafka_security_protocol="SASL_SSL", kafka_username="solo", kafka_password="hunter2")
    with (
        pytest.raises(BrokerError, match=r"\(SASL_SSL\): cannot log in as solo: \*\*\*$"),
        broker_errors(settings),
    ):
        raise ValueError("cannot log in as solo:\nhunter2")
