from __future__ import annotations

import json
import os
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solosolve.errors import BrokerError, MissingDependencyError, UsageError
from solosolve.local import kafka_jars
from solosolve.local.broker import Broker
from solosolve.local.kafka_jars import KAFKA_VERSION, is_whole, java_command, kafka_classpath
from solosolve.local.kafka_node import cluster_id_in, last_failure, new_cluster_id, server_properties, write_properties
from solosolve.settings import Settings

AT = "2026-11-25 03:13:10.000"


def fake_java(folder: Path, script: str) -> str:
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\n{script}\n")
    java.chmod(0o755)
    return str(java)


def jar(folder: Path) -> Path:
    path = folder / f"kafka_2.13-{KAFKA_VERSION}.jar"
    path.touch()
    return path


def with_state(home: Path, **overrides: Any) -> Broker:
    """A broker whose state says that this very process is it, but for what is overridden."""
    state = {
        "pid": os.getpid(),
        "create_time": psutil.Process().create_time(),
        "address": "127.0.0.1:9092",
        "controller_port": 1,
    }
    data = home / "kafka" / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("version=1\ncluster.id=abc-_1\n")
    (home / "kafka" / "state.json").write_text(json.dumps(state | overrides))
    return Broker(Settings(home=home))


@pytest.mark.parametrize(
    "address",
    ["broker.example:9092", "10.0.0.1:9092", "127.0.0.1:9092,127.0.0.1:9093", "127.0.0.1:0", "127.0.0.1:70000"],
)
def test_broker_is_started_at_one_address_of_this_machine_only(tmp_path: Path, address: str) -> None:
    with pytest.raises(UsageError, match=f"kafka_bootstrap: found '{address}', a broker started here has 127"):
        Broker(Settings(home=tmp_path, kafka_bootstrap=address)).start()


def test_broker_with_a_login_that_it_does_not_know_is_not_started(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, kafka_security_protocol="SSL")
    with pytest.raises(UsageError, match="kafka_security_protocol: found 'SSL', a broker started here takes PLAINTEXT"):
        Broker(settings).start()


def test_broker_whose_port_is_taken_is_not_started(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(MissingDependencyError) as caught:
            Broker(Settings(home=tmp_path, kafka_bootstrap=address)).start()
    assert str(caught.value).startswith(f"{address} cannot be used (Address already in use); stop what listens there")


def test_broker_of_an_empty_home_is_not_there_and_needs_no_stopping(tmp_path: Path) -> None:
    broker = Broker(Settings(home=tmp_path / "home"))
    assert broker.status() is None
    assert not broker.stop()
    assert not (tmp_path / "home").exists()


def test_status_is_that_of_the_process_in_the_state(tmp_path: Path) -> None:
    status = with_state(tmp_path).status()
    assert status is not None
    assert (status.address, status.pid, status.cluster_id) == ("127.0.0.1:9092", os.getpid(), "abc-_1")


def test_process_that_got_the_brokers_number_later_is_not_the_broker(tmp_path: Path) -> None:
    broker = with_state(tmp_path, create_time=psutil.Process().create_time() - 60)
    assert broker.status() is None
    assert not broker.stop()  # else this process would end here


def test_process_that_has_ended_is_not_the_broker(tmp_path: Path) -> None:
    assert with_state(tmp_path, pid=2**22 + 1).status() is None


def test_broker_at_another_address_than_the_settings_is_not_taken_for_theirs(tmp_path: Path) -> None:
    broker = with_state(tmp_path, address="127.0.0.1:9999")
    with pytest.raises(
        UsageError, match=r"found '127\.0\.0\.1:9092', the broker of this home listens at 127\.0\.0\.1:9999"
    ):
        broker.start()


def test_listeners_are_on_loopback_and_name_the_address_that_clients_use() -> None:
    properties = server_properties("localhost:9092", 9093, "PLAINTEXT", Path("/data"))
    listeners = re.findall(r"://([^:]+):", properties["listeners"])
    assert listeners == ["127.0.0.1", "127.0.0.1"]
    assert properties["advertised.listeners"].startswith("CLIENTS://localhost:9092,")


@given(st.lists(st.text(), max_size=4))
def test_properties_are_read_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, values: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "a.properties"
    write_properties(path, {f"key{number}": value for number, value in enumerate(values)})
    assert list(java_properties(path).values()) == values


def test_properties_are_for_their_owners_eyes(tmp_path: Path) -> None:
    write_properties(tmp_path / "a.properties", {"password": "hunter2"})
    assert (tmp_path / "a.properties").stat().st_mode & 0o777 == 0o600


def java_properties(path: Path) -> dict[str, str]:
    """A properties file as java.util.Properties loads it, as far as escapes go."""
    escapes = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
    found = {}
    for line in re.split(r"\r\n|\r|\n", path.read_bytes().decode("latin-1")):
        name, equals, value = line.partition("=")
        if equals:
            units = re.sub(
                r"\\u([0-9a-f]{4})|\\(.)",
                lambda match: chr(int(match[1], 16)) if match[1] else escapes.get(match[2], match[2]),
                value.lstrip(" \t\f"),
            )
            found[name] = units.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return found


def test_new_cluster_ids_are_words_of_kafkas_command_line() -> None:
    ids = {new_cluster_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", each) for each in ids)


@pytest.mark.parametrize("content", [None, "", "version=1\n"])
def test_data_folder_without_an_id_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "meta.properties").write_text(content)
    with pytest.raises(BrokerError, match=r"meta\.properties names no cluster\.id"):
        cluster_id_in(tmp_path)


@pytest.mark.parametrize(
    ("console", "log", "expected"),
    [
        ("", f"{AT} INFO A: fine\n{AT} ERROR B: bad\n\tat x.Y\n{AT} INFO A: end\n", f"{AT} ERROR B: bad"),
        ("", f"{AT} ERROR B: bad\njava.net.BindException: in use\n\tat x.Y\n", "java.net.BindException: in use"),
        ("", "x.YException: first\n\tat x.Y\nCaused by: x.ZError: last\n\tat x.Z\n", "Caused by: x.ZError: last"),
        ("Error: no such option\n", "", "Error: no such option"),
        ("", "", "not a word"),
    ],
)
def test_last_failure_is_the_last_line_that_says_one(tmp_path: Path, console: str, log: str, expected: str) -> None:
    (tmp_path / "console.log").write_text(console)
    (tmp_path / "server.log").write_text(log)
    assert last_failure(tmp_path) == f"{expected} (more in {tmp_path})"


def test_java_is_that_of_java_home_and_else_the_first_on_the_path(tmp_path: Path) -> None:
    home, path = fake_java(tmp_path / "home", ""), fake_java(tmp_path / "path", "")
    environ = {"PATH": str(Path(path).parent)}
    assert java_command(environ) == path
    assert java_command(environ | {"JAVA_HOME": str(tmp_path / "home")}) == home
    with pytest.raises(MissingDependencyError, match="no java in JAVA_HOME or on PATH"):
        java_command(environ | {"JAVA_HOME": str(tmp_path)})


def test_kept_jars_are_fetched_again_where_one_is_gone(tmp_path: Path) -> None:
    kept = tmp_path / "classpath"
    assert not is_whole(kept)
    kept.write_text(f"{jar(tmp_path)}:{tmp_path / 'other.jar'}")
    assert not is_whole(kept)
    (tmp_path / "other.jar").touch()
    assert is_whole(kept)


def test_kept_jars_of_another_kafka_are_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "kafka_2.13-3.9.0.jar").touch()
    (tmp_path / "classpath").write_text(str(tmp_path / "kafka_2.13-3.9.0.jar"))
    assert not is_whole(tmp_path / "classpath")


def test_classpath_has_a_logger_and_what_the_resolver_found(tmp_path: Path) -> None:
    script = f'for word; do last="$word"; done; printf %s {jar(tmp_path)} >"$last"; echo resolved'
    java, kept = fake_java(tmp_path, script), tmp_path / "classpath"
    jars = kafka_classpath(java, kept, tmp_path / "jars.log").split(os.pathsep)
    assert [re.sub(r"-[\d.]+\.jar", "", Path(each).name) for each in jars] == [
        "slf4j-api", "log4j-slf4j2-impl", "log4j-api", "log4j-core", "kafka_2.13"
    ]  # fmt: skip
    assert (kept.read_text(), (tmp_path / "jars.log").read_text()) == (jars[-1], "resolved\n")


def test_two_homes_fetch_one_behind_the_other(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = f"echo in >>{seen}; sleep 0.2; for word; do last=$word; done; "
    script += f"printf %s {jar(tmp_path)} >$last; echo out >>{seen}"
    java, homes = fake_java(tmp_path, script), [tmp_path / "a", tmp_path / "b"]
    for home in homes:
        home.mkdir()
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda home: kafka_classpath(java, home / "classpath", home / "jars.log"), homes))
    assert seen.read_text().split() == ["in", "out", "in", "out"]


@pytest.mark.parametrize("script", ["exit 1", "exit 0"])
def test_jars_that_cannot_be_fetched_name_the_log(tmp_path: Path, script: str) -> None:
    java = fake_java(tmp_path, f"echo no route to host; {script}")
    with pytest.raises(MissingDependencyError, match=re.escape(str(tmp_path / "jars.log"))):
        kafka_classpath(java, tmp_path / "classpath", tmp_path / "jars.log")
    assert not (tmp_path / "classpath").exists()
    assert "no route" in (tmp_path / "jars.log").read_text()


def test_resolver_that_does_not_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_jars, "_RESOLVE_SECONDS", 0.2)
    with pytest.raises(MissingDependencyError):
        kafka_classpath(fake_java(tmp_path, "exec sleep 30"), tmp_path / "classpath", tmp_path / "jars.log")
