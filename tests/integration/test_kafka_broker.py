from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from kafka import KafkaProducer
from pyspark.sql import SparkSession

from solosolve.errors import BrokerError, MissingDependencyError
from solosolve.kafka.client import cluster_id, ensure_topics, message_counts, producer, send_messages
from solosolve.kafka.login import Timeouts, spark_options
from solosolve.local.broker import Broker
from solosolve.local.doctor import check_kafka_port
from solosolve.local.produce import encode_message, produce, read_complaints
from solosolve.names import PREDICTIONS_TOPIC, RAW_TOPIC, REQUESTS_TOPIC, TOPICS
from solosolve.samples.writer import write_sample
from solosolve.settings import Settings
from support.brokers import free_port, kafka_settings, lend_jars
from support.builders import landing_csv
from support.live import messages_of, request, with_champion
from support.topics import consume, send

PASSWORD = "p\"a\\s'{s} $1;\u00fc\u4e2d"


@pytest.fixture
def shared(broker: str, broker_home: Path) -> Settings:
    """Settings of the run's shared broker."""
    return kafka_settings(broker_home, broker)


def send_numbered(settings: Settings, topic: str, first: int, count: int) -> Counter[tuple[bytes | None, bytes]]:
    """Sends numbered messages and returns them."""
    requests = [
        {"complaint_id": number, "company": f"Bank {number % 7} \u00fc"} for number in range(first, first + count)
    ]
    assert produce(settings, topic, iter(requests)).message_count == count
    return Counter(encode_message(each) for each in requests)


def test_broker_listens_on_loopback_only(shared: Settings) -> None:
    status = Broker(shared).status()
    assert status is not None
    sockets = psutil.Process(status.pid).net_connections("inet")
    addresses = {each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN}
    assert {address.removeprefix("::ffff:") for address in addresses} == {"127.0.0.1"}


def test_status_describes_the_running_broker(shared: Settings) -> None:
    status = Broker(shared).status()
    assert status is not None
    assert (status.address, status.cluster_id) == (shared.kafka_bootstrap, cluster_id(shared))
    finding = check_kafka_port(shared)
    assert finding.is_ok
    assert finding.found == f"{shared.kafka_bootstrap} is the broker of this home (pid {status.pid})"


def test_broker_has_the_projects_topics(shared: Settings) -> None:
    assert set(message_counts(shared, [*TOPICS, "no-such-topic"])) == set(TOPICS)
    assert ensure_topics(shared, TOPICS) == []


def test_topic_that_many_ensure_at_once_is_created_once(shared: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: ensure_topics(shared, ["raced"], partitions=3), range(4)))
    assert sorted(made) == [[], [], [], ["raced"]]
    assert message_counts(shared, ["raced"]) == {"raced": 0}


def test_cluster_is_found_even_if_one_of_its_addresses_is_dead(shared: Settings) -> None:
    both = shared.model_copy(update={"kafka_bootstrap": f"127.0.0.1:{free_port()},{shared.kafka_bootstrap}"})
    assert cluster_id(both) == cluster_id(shared)


@pytest.mark.parametrize("topic", [RAW_TOPIC, REQUESTS_TOPIC])
def test_complaints_arrive_as_they_were_sent(shared: Settings, tmp_path: Path, topic: str) -> None:
    csv = write_sample(tmp_path / "sample.csv", rows=3_000, seed=5).path
    expected = Counter(encode_message(each) for each in read_complaints(csv, topic))
    before = Counter(consume(shared, topic))
    progress: list[int] = []
    made = produce(shared, topic, read_complaints(csv, topic), progress=progress.append)
    assert (made.message_count, progress[-1]) == (3_000, 3_000)
    assert Counter(consume(shared, topic)) - before == expected
    assert message_counts(shared, [topic]) == {topic: before.total() + 3_000}


def test_message_too_big_for_kafka_is_reported_with_what_arrived_before(shared: Settings) -> None:
    ensure_topics(shared, ["big"])
    requests = [{"complaint_id": 1}, {"complaint_id": 2, "narrative": "x" * 2_000_000}, {"complaint_id": 3}]
    with pytest.raises(BrokerError, match=r"big: Kafka at .* acknowledged 1 of 1 messages, .*MessageSizeTooLargeError"):
        produce(shared, "big", iter(requests))
    assert [key for key, _ in consume(shared, "big")] == [b"1"]


def test_sending_to_a_missing_topic_is_given_up(shared: Settings) -> None:
    with pytest.raises(BrokerError, match=r"no-such-topic: Kafka at .* acknowledged 0 of 0 messages, "):
        send_messages(shared, "no-such-topic", [encode_message({"complaint_id": 1})], timeouts=Timeouts(request_ms=500))


def commanded(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs `solosolve kafka` in a process of its own."""
    environment = {"SOLOSOLVE_HOME": str(settings.home), "SOLOSOLVE_KAFKA_BOOTSTRAP": settings.kafka_bootstrap}
    return subprocess.run(
        [sys.executable, "-c", "from solosolve.cli.main import main; main()", "kafka", *words],
        env=os.environ | environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_status_command_shows_the_brokers_address_and_the_message_counts(shared: Settings) -> None:
    status = Broker(shared).status()
    assert status is not None
    shown = commanded(shared, "status")
    words = f"Kafka answers at {shared.kafka_bootstrap} (pid {status.pid}, cluster {status.cluster_id})"
    assert (shown.returncode, shown.stderr, shown.stdout.splitlines()[0]) == (0, "", words)
    counts = {
        line.split("│")[1].strip(): line.split("│")[2].strip() for line in shown.stdout.splitlines() if "│" in line
    }
    assert counts == {topic: f"{count:,}" for topic, count in message_counts(shared, TOPICS).items()}


def test_status_command_fails_if_no_broker_is_running(tmp_path: Path) -> None:
    settings = kafka_settings(tmp_path, f"127.0.0.1:{free_port()}")
    shown = commanded(settings, "status")
    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr.startswith(
        f"solosolve: Cannot reach or log in to Kafka at {settings.kafka_bootstrap} (PLAINTEXT)"
    )
    assert shown.stderr.count("\n") == 1


def test_produce_command_sends_a_file_at_a_rate(shared: Settings, tmp_path: Path) -> None:
    csv = tmp_path / "a.csv"
    csv.write_text(landing_csv(*({"complaint_id": str(number)} for number in range(100))))
    before = Counter(consume(shared, REQUESTS_TOPIC))
    done = commanded(shared, "produce", "--csv", str(csv), "--limit", "80", "--rate", "100")
    assert (done.returncode, done.stdout) == (0, "")
    found = re.fullmatch(rf"80 messages sent to {REQUESTS_TOPIC} \(([\d.]+) s, \d+ per second\)\n", done.stderr)
    assert found
    assert 0.7 < float(found[1]) < 3
    expected = [encode_message(each) for each in read_complaints(csv, REQUESTS_TOPIC)][:80]
    assert Counter(consume(shared, REQUESTS_TOPIC)) - before == Counter(expected)


def test_produce_command_sends_a_sample(shared: Settings) -> None:
    before = message_counts(shared, [RAW_TOPIC])[RAW_TOPIC]
    assert commanded(shared, "produce", "--topic", "raw", "--rows", "200", "--seed", "1").returncode == 0
    assert message_counts(shared, [RAW_TOPIC]) == {RAW_TOPIC: before + 200}


@pytest.fixture(scope="module")
def own(broker: str, broker_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a broker that a test may start, stop and kill."""
    home = tmp_path_factory.mktemp("own kafka h\u00f6me")
    lend_jars(broker_home, home)
    settings = kafka_settings(home, f"127.0.0.1:{free_port()}")
    yield settings
    Broker(settings).stop()


def test_broker_starts_once_outlives_its_command_and_keeps_its_messages(own: Settings) -> None:
    broker = Broker(own)
    with ThreadPoolExecutor(2) as pool:
        started = list(pool.map(lambda _: commanded(own, "start"), range(2)))
    first = broker.status()
    assert first is not None
    words = f"at {own.kafka_bootstrap} (pid {first.pid}, cluster {first.cluster_id})\n"
    assert {each.stderr for each in started} == {f"Kafka is running {words}", f"Kafka is already running {words}"}
    assert [(each.returncode, each.stdout) for each in started] == [(0, "")] * 2
    sent = send_numbered(own, REQUESTS_TOPIC, 0, 500)

    assert commanded(own, "stop").stderr == "Kafka has stopped\n"
    assert (broker.status(), psutil.pid_exists(first.pid)) == (None, False)
    assert commanded(own, "stop").stderr == "no broker is running for this home\n"

    second = broker.start()
    assert (second.is_new, second.cluster_id) == (True, first.cluster_id)
    assert Counter(consume(own, REQUESTS_TOPIC)) == sent
    acknowledged, doubtful = send_until_killed(own, second.pid, first=500, count=500)
    assert broker.status() is None

    with listener_at(controller_port(own)):
        third = broker.start()
    assert (third.is_new, third.cluster_id) == (True, first.cluster_id)
    found = Counter(consume(own, REQUESTS_TOPIC))
    assert sent <= found <= sent + doubtful
    assert acknowledged <= (found - sent).total()


def send_until_killed(
    settings: Settings, pid: int, first: int, count: int
) -> tuple[int, Counter[tuple[bytes | None, bytes]]]:
    """Kills the broker when half the messages are sent; returns how many it acknowledged, and all messages."""
    messages = [encode_message({"complaint_id": number}) for number in range(first, first + count)]
    opened: list[KafkaProducer] = []

    @contextmanager
    def kept_producer(settings: Settings, timeouts: Timeouts) -> Iterator[KafkaProducer]:
        with producer(settings, timeouts) as each:
            opened.append(each)
            yield each

    def messages_and_a_kill() -> Iterator[tuple[bytes | None, bytes]]:
        yield from messages[: count // 2]
        opened[0].flush()  # until the broker has acknowledged them all
        os.kill(pid, signal.SIGKILL)
        yield from messages[count // 2 :]

    timeouts = Timeouts(request_ms=1_000, delivery_ms=2_000)
    with pytest.raises(BrokerError) as caught:
        send_messages(settings, REQUESTS_TOPIC, messages_and_a_kill(), timeouts=timeouts, open_producer=kept_producer)
    found = re.match(rf"{REQUESTS_TOPIC}: Kafka at \S+ acknowledged (\d+) of {count} messages, ", str(caught.value))
    assert found
    assert int(found[1]) >= count // 2
    return int(found[1]), Counter(messages)


def controller_port(settings: Settings) -> int:
    state = json.loads((settings.home / "kafka" / "state.json").read_text())
    return int(state["controller_port"])


@contextmanager
def listener_at(port: int) -> Iterator[None]:
    """Another program's socket, listening on a port."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield


def test_broker_is_not_started_on_a_port_in_use(shared: Settings, tmp_path: Path) -> None:
    elsewhere = kafka_settings(tmp_path, shared.kafka_bootstrap)
    with pytest.raises(MissingDependencyError, match=f"{shared.kafka_bootstrap} is not available"):
        Broker(elsewhere).start()


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"log.retention.hours": "a week"}, "Invalid value a week for configuration log.retention.hours"),
        ({"num.io.threads": "2"}, "entry in the JAAS configuration"),
    ],
    ids=["format", "start"],
)
def test_broker_that_cannot_start_reports_its_last_error(
    broker: str, broker_home: Path, tmp_path: Path, extra: dict[str, str], message: str
) -> None:
    lend_jars(broker_home, tmp_path)
    login = {"security_protocol": "SASL_PLAINTEXT", "username": "solo", "password": PASSWORD}
    settings = kafka_settings(tmp_path, f"127.0.0.1:{free_port()}", **login)
    with pytest.raises(BrokerError) as caught:
        Broker(settings, extra=extra).start()
    assert message in str(caught.value)
    assert str(tmp_path / "kafka" / "logs") in str(caught.value)
    assert Broker(settings).status() is None


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A key store for 127.0.0.1, and its certificate in PEM format."""
    folder = tmp_path_factory.mktemp("certificate")
    store, pem = folder / "keys.p12", folder / "ca.pem"
    key = ["-alias", "broker", "-keystore", str(store), "-storepass", "changeit"]
    names = ["-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-keyalg", "EC", "-storetype", "PKCS12"]
    subprocess.run(["keytool", "-genkeypair", *key, *names], check=True, capture_output=True)
    subprocess.run(["keytool", "-exportcert", "-rfc", "-file", str(pem), *key], check=True, capture_output=True)
    return store, pem


@pytest.fixture(scope="module")
def guarded(
    broker: str, broker_home: Path, tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]
) -> Iterator[dict[str, Settings]]:
    """Settings, by protocol, of a broker that requires a login: unencrypted and encrypted."""
    home = tmp_path_factory.mktemp("guarded")
    lend_jars(broker_home, home)
    store, pem = certificate
    clear, secure, control = (f"127.0.0.1:{free_port()}" for _ in range(3))
    login = {"username": "solo", "password": PASSWORD}
    settings = {
        "SASL_PLAINTEXT": kafka_settings(home, clear, security_protocol="SASL_PLAINTEXT", **login),
        "SASL_SSL": kafka_settings(home, secure, security_protocol="SASL_SSL", ca_file=str(pem), **login),
    }
    jaas = spark_options(settings["SASL_PLAINTEXT"])["kafka.sasl.jaas.config"].removesuffix(";")
    known = f"{jaas} user_solo={jaas.partition(' password=')[2]};"
    listeners = f"CLIENTS://{clear},SECURE://{secure},CONTROLLER://{control}"
    extra = {
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
        "controller.quorum.bootstrap.servers": control,
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.clients.plain.sasl.jaas.config": known,
        "listener.name.secure.plain.sasl.jaas.config": known,
        "ssl.keystore.location": str(store),
        "ssl.keystore.password": "changeit",
        "ssl.keystore.type": "PKCS12",
    }
    broker = Broker(settings["SASL_PLAINTEXT"], extra=extra)
    broker.start()
    yield settings
    broker.stop()


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_right_password_is_accepted(guarded: dict[str, Settings], protocol: str) -> None:
    settings = guarded[protocol]
    ensure_topics(settings, [protocol])
    sent = send_numbered(settings, protocol, 0, 100)
    assert Counter(consume(settings, protocol)) == sent


def test_stream_logs_in_and_leaks_the_password_nowhere(
    spark: SparkSession, guarded: dict[str, Settings], first_registry: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    live = with_champion(spark, guarded["SASL_SSL"], first_registry)
    send(live.settings, REQUESTS_TOPIC, messages_of([request(1), request(2)]))
    live.stream("kafka")
    assert live.scored_ids() == Counter([1, 2])
    assert len(consume(live.settings, PREDICTIONS_TOPIC)) == 2
    for folder in ("checkpoints", "warehouse", "logs"):
        assert files_with_the_password(live.settings.home / folder) == []
    # The tests' session logs here.
    assert files_with_the_password(tmp_path_factory.getbasetemp() / "spark_home0") == []
    assert files_with_the_password(live.settings.home / "kafka") != []


def files_with_the_password(folder: Path) -> list[Path]:
    """Files with the part of the password that no escaping changes."""
    return [file for file in folder.rglob("*") if file.is_file() and b"{s} $1" in file.read_bytes()]


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_wrong_password_is_refused_and_not_shown(guarded: dict[str, Settings], protocol: str) -> None:
    right = guarded[protocol]
    wrong = Settings.model_validate(right.model_dump() | {"kafka_password": "hunter2-hunter2"})
    with pytest.raises(BrokerError, match=rf"\({protocol}\).*: the login of solo failed \(") as caught:
        cluster_id(wrong)
    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    ("protocol", "spoken"), [("SASL_PLAINTEXT", "PLAINTEXT"), ("SASL_SSL", "SSL"), ("SASL_SSL", "PLAINTEXT")]
)
def test_client_without_the_brokers_protocol_is_refused(
    guarded: dict[str, Settings], protocol: str, spoken: str
) -> None:
    settings = guarded[protocol].model_copy(update={"kafka_security_protocol": spoken})
    with pytest.raises(BrokerError, match=rf"\({spoken}\): "):
        cluster_id(settings, Timeouts(connect_ms=1_000))


def test_self_signed_certificate_is_refused(guarded: dict[str, Settings]) -> None:
    with pytest.raises(BrokerError, match="certificate verify failed"):
        cluster_id(guarded["SASL_SSL"].model_copy(update={"kafka_ca_file": None}))
