from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import TopicAlreadyExistsError

from solosolve.errors import BrokerError, SettingsError
from solosolve.kafka import client as kafka
from solosolve.kafka import login as kafka_login
from solosolve.kafka.delivery import send_messages
from solosolve.settings import Settings

SECRET = 'p"a\\ss\nword'
LOGIN = {"kafka_username": "solo", "kafka_password": SECRET}
_ESCAPES = {"n": "\n", "r": "\r"}


def jaas_values(config: str) -> dict[str, str]:
    """Options of a JAAS configuration, its words unquoted as Java's StreamTokenizer does it."""
    quoted = re.findall(r'(\w+)="((?:[^"\\\n\r]|\\.)*)"', config, re.DOTALL)
    return {name: re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), word) for name, word in quoted}


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_options_without_a_login_are_the_address_and_the_protocol() -> None:
    settings = Settings(kafka_bootstrap="a:1,b:2")
    assert kafka_login.spark_options(settings) == {
        "kafka.bootstrap.servers": "a:1,b:2",
        "kafka.security.protocol": "PLAINTEXT",
    }
    options = kafka_login.client_options(settings)
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
    spark, client = kafka_login.spark_options(settings), kafka_login.client_options(settings)
    assert spark["kafka.sasl.mechanism"] == client["sasl_mechanism"] == mechanism
    assert spark["kafka.sasl.jaas.config"].startswith(f"org.apache.kafka.common.security.{module} required username=")
    assert jaas_values(spark["kafka.sasl.jaas.config"]) == {"username": "solo", "password": SECRET}
    assert (client["sasl_plain_username"], client["sasl_plain_password"]) == ("solo", SECRET)


def test_options_on_the_platform_name_its_own_login_module() -> None:
    settings = Settings(target="prod", kafka_security_protocol="SASL_SSL", **LOGIN)
    assert kafka_login.spark_options(settings)["kafka.sasl.jaas.config"].startswith(
        "kafkashaded.org.apache.kafka.common."
    )


def test_options_with_certificates_name_their_file() -> None:
    settings = Settings(kafka_security_protocol="SSL", kafka_ca_file=Path("/certificates/ca.pem"))
    spark = kafka_login.spark_options(settings)
    assert (spark["kafka.ssl.truststore.type"], spark["kafka.ssl.truststore.location"]) == (
        "PEM",
        "/certificates/ca.pem",
    )
    assert kafka_login.client_options(settings)["ssl_cafile"] == "/certificates/ca.pem"


@given(st.text(min_size=1), st.text(min_size=1))
def test_login_comes_out_of_its_quotes_as_it_went_in(user: str, password: str) -> None:
    settings = Settings(kafka_security_protocol="SASL_SSL", kafka_username=user, kafka_password=password)
    config = kafka_login.spark_options(settings)["kafka.sasl.jaas.config"]
    assert jaas_values(config) == {"username": user, "password": password}
    assert not {"\n", "\r"} & set(config)


def test_login_cannot_break_out_of_its_quotes() -> None:
    settings = Settings(
        kafka_security_protocol="SASL_SSL", kafka_username='x" user_x="y', kafka_password='z"; evil.Module required;'
    )
    assert jaas_values(kafka_login.spark_options(settings)["kafka.sasl.jaas.config"]).keys() == {"username", "password"}


def test_shown_options_do_not_show_the_password() -> None:
    settings = Settings(kafka_security_protocol="SASL_SSL", kafka_username="solo", kafka_password="hunter2")
    shown = f"{kafka_login.spark_options(settings)} {kafka_login.client_options(settings)!r} {settings!r}"
    assert "hunter2" not in shown


@pytest.mark.parametrize("client", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_client_options_are_options_of_every_client(client: Any) -> None:
    settings = Settings(kafka_security_protocol="SASL_SSL", kafka_ca_file=Path("ca.pem"), **LOGIN)
    assert kafka_login.client_options(settings).keys() - client.DEFAULT_CONFIG.keys() == set()


@pytest.mark.parametrize(("limit", "limits"), [(None, {}), (500, {"maxOffsetsPerTrigger": "500"})], ids=["all", "some"])
def test_read_messages_says_where_it_begins_and_never_skips(limit: int | None, limits: dict[str, str]) -> None:
    spark = MagicMock()
    reader = spark.readStream.format.return_value
    reader.options.return_value = reader.option.return_value = reader
    rows = kafka.read_messages(spark, Settings(), "t", starting="earliest", max_per_trigger=limit)
    assert {call.args[0]: call.args[1] for call in reader.option.call_args_list} == {
        "subscribe": "t",
        "startingOffsets": "earliest",
        "failOnDataLoss": "true",
        "kafka.isolation.level": "read_committed",
        "kafka.max.poll.records": "5000",
        **limits,
    }
    reader.options.assert_called_once_with(**kafka_login.spark_options(Settings()))
    assert rows is reader.load.return_value.select.return_value
    reader.load.return_value.select.assert_called_once_with("topic", "partition", "offset", "key", "value", "timestamp")


@pytest.mark.parametrize(
    "work",
    [
        kafka.cluster_id,
        kafka.producer,
        lambda settings: kafka.ensure_topics(settings, ["t"]),
        lambda settings: kafka.message_counts(settings, ["t"]),
        lambda settings: send_messages(settings, "t", [(None, b"{}")]),
    ],
    ids=["cluster_id", "producer", "ensure_topics", "message_counts", "send_messages"],
)
def test_broker_that_is_not_there_is_one_line_with_a_remedy(work: Any) -> None:
    address = f"127.0.0.1:{closed_port()}"
    started = time.monotonic()
    with pytest.raises(BrokerError) as caught:
        work(Settings(kafka_bootstrap=address))
    assert time.monotonic() - started < 3
    assert re.fullmatch(
        rf"no Kafka broker serves us at {address} \(PLAINTEXT\): .*ECONNREFUSED; start one: solosolve kafka start",
        str(caught.value),
    )


def test_broker_elsewhere_is_not_offered_to_be_started() -> None:
    with pytest.raises(BrokerError) as caught:
        kafka.cluster_id(Settings(kafka_bootstrap="no-such-host.invalid:9092"))
    assert "solosolve kafka start" not in str(caught.value)


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
def test_server_that_never_answers_is_given_up(silent: str, protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "CONNECT_MS", 300)
    started = time.monotonic()
    with pytest.raises(BrokerError, match=re.escape(f"at {silent} ({protocol}): ")):
        kafka.cluster_id(Settings(kafka_bootstrap=silent, kafka_security_protocol=protocol, **LOGIN))
    assert time.monotonic() - started < 3


def test_failed_attempts_leave_no_thread_behind() -> None:
    before = threading.active_count()
    for _ in range(3):
        with pytest.raises(BrokerError):
            kafka.cluster_id(Settings(kafka_bootstrap=f"127.0.0.1:{closed_port()}"))
    assert threading.active_count() == before


def test_certificates_that_are_not_there_are_a_wrong_setting(tmp_path: Path) -> None:
    settings = Settings(kafka_security_protocol="SSL", kafka_ca_file=tmp_path / "ca.pem")
    with pytest.raises(SettingsError, match=r"kafka_ca_file: found '.*ca\.pem', there is no such file"):
        kafka.cluster_id(settings)


def test_error_that_quotes_the_password_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Settings) -> None:
        raise ValueError("cannot log in as solo:\nhunter2")

    monkeypatch.setattr(kafka, "_knock", refuse)
    settings = Settings(kafka_security_protocol="SASL_SSL", kafka_username="solo", kafka_password="hunter2")
    with pytest.raises(BrokerError, match=r"\(SASL_SSL\): cannot log in as solo: \*\*\*$"):
        kafka.cluster_id(settings)


class FakeAdmin:
    """An admin client of a cluster where topics are made by others too."""

    def __init__(self, there: list[str], codes: dict[str, int]) -> None:
        self.there, self.codes = there, codes
        self.awaited: list[str] = []

    def __enter__(self) -> FakeAdmin:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def list_topics(self) -> list[str]:
        return self.there

    def create_topics(self, wanted: dict[str, Any], *, raise_errors: bool) -> dict[str, Any]:
        assert not raise_errors
        answers = [{"name": name, "error_code": self.codes[name], "error_message": "no"} for name in wanted]
        return {"topics": answers}

    def wait_for_topics(self, topics: list[str]) -> None:
        self.awaited = topics


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeAdmin:
    admin = FakeAdmin(["there"], {"made": 0, "raced": TopicAlreadyExistsError.errno, "refused": 29})
    monkeypatch.setattr(kafka, "_knock", lambda settings: None)
    monkeypatch.setattr(kafka, "KafkaAdminClient", lambda **options: admin)
    return admin


def test_ensure_topics_gives_those_that_it_made(cluster: FakeAdmin) -> None:
    assert kafka.ensure_topics(Settings(), ["there", "made", "raced", "made"]) == ["made"]
    assert cluster.awaited == ["made", "raced"]


def test_ensure_topics_says_which_were_refused(cluster: FakeAdmin) -> None:
    with pytest.raises(BrokerError, match=r"topics cannot be made at 127\.0\.0\.1:9092 \(refused: no\)"):
        kafka.ensure_topics(Settings(), ["made", "refused"])
