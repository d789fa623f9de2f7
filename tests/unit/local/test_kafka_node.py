from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solosolve.errors import BrokerError, MissingDependencyError
from solosolve.local.kafka_node import (
    KAFKA_VERSION,
    cluster_id_in,
    has_kafka_jars,
    kafka_classpath,
    last_failure,
    new_cluster_id,
    server_properties,
    write_properties,
)

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


def java_properties(path: Path) -> dict[str, str]:
    """Reads a properties file, escapes included, as java.util.Properties does."""
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


def test_listeners_are_on_loopback_and_advertise_the_clients_address() -> None:
    properties = server_properties("localhost:9092", 9093, "PLAINTEXT", Path("/data"))
    listeners = re.findall(r"://([^:]+):", properties["listeners"])
    assert listeners == ["127.0.0.1", "127.0.0.1"]
    assert properties["advertised.listeners"].startswith("CLIENTS://localhost:9092,")


@given(st.lists(st.text(), max_size=4))
def test_properties_are_read_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, values: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "a.properties"
    write_properties(path, {f"key{number}": value for number, value in enumerate(values)})
    assert list(java_properties(path).values()) == values


def test_properties_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    write_properties(tmp_path / "a.properties", {"password": "hunter2"})
    assert (tmp_path / "a.properties").stat().st_mode & 0o777 == 0o600


def test_new_cluster_ids_are_accepted_on_kafkas_command_line() -> None:
    ids = {new_cluster_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", each) for each in ids)


@pytest.mark.parametrize("content", [None, "", "version=1\n"])
def test_data_folder_without_a_cluster_id_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "meta.properties").write_text(content)
    with pytest.raises(BrokerError, match=r"meta\.properties: no cluster\.id found"):
        cluster_id_in(tmp_path)


@pytest.mark.parametrize(
    ("console", "log", "expected"),
    [
        ("", f"{AT} INFO A: fine\n{AT} ERROR B: bad\n\tat x.Y\n{AT} INFO A: end\n", f"{AT} ERROR B: bad"),
        ("", f"{AT} ERROR B: bad\njava.net.BindException: in use\n\tat x.Y\n", "java.net.BindException: in use"),
        ("", "x.YException: first\n\tat x.Y\nCaused by: x.ZError: last\n\tat x.Z\n", "Caused by: x.ZError: last"),
        ("Error: no such option\n", "", "Error: no such option"),
        ("", "", "it printed nothing"),
    ],
)
def test_last_failure_is_the_last_line_that_reports_one(tmp_path: Path, console: str, log: str, expected: str) -> None:
    (tmp_path / "console.log").write_text(console)
    (tmp_path / "server.log").write_text(log)
    assert last_failure(tmp_path) == f"{expected} (logs: {tmp_path})"


def test_cached_jars_do_not_count_if_one_is_missing(tmp_path: Path) -> None:
    cached = tmp_path / "classpath"
    assert not has_kafka_jars(cached)
    cached.write_text(f"{jar(tmp_path)}:{tmp_path / 'other.jar'}")
    assert not has_kafka_jars(cached)
    (tmp_path / "other.jar").touch()
    assert has_kafka_jars(cached)


def test_cached_jars_of_another_kafka_version_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "kafka_2.13-3.9.0.jar").touch()
    (tmp_path / "classpath").write_text(str(tmp_path / "kafka_2.13-3.9.0.jar"))
    assert not has_kafka_jars(tmp_path / "classpath")


def test_classpath_is_a_logger_and_the_resolved_jars(tmp_path: Path) -> None:
    script = f'for word; do last="$word"; done; printf %s {jar(tmp_path)} >"$last"; echo resolved'
    java, cached = fake_java(tmp_path, script), tmp_path / "classpath"
    jars = kafka_classpath(java, cached, tmp_path / "jars.log").split(os.pathsep)
    assert [re.sub(r"-[\d.]+\.jar", "", Path(each).name) for each in jars] == [
        "slf4j-api", "log4j-slf4j2-impl", "log4j-api", "log4j-core", "kafka_2.13"
    ]  # fmt: skip
    assert (cached.read_text(), (tmp_path / "jars.log").read_text()) == (jars[-1], "resolved\n")


def test_two_homes_download_jars_one_after_another(tmp_path: Path) -> None:
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
def test_failed_download_of_jars_names_the_log(tmp_path: Path, script: str) -> None:
    java = fake_java(tmp_path, f"echo no route to host; {script}")
    with pytest.raises(MissingDependencyError, match=re.escape(str(tmp_path / "jars.log"))):
        kafka_classpath(java, tmp_path / "classpath", tmp_path / "jars.log")
    assert not (tmp_path / "classpath").exists()
    assert "no route" in (tmp_path / "jars.log").read_text()


def test_download_of_jars_that_hangs_times_out(tmp_path: Path) -> None:
    java = fake_java(tmp_path, "exec sleep 30")
    with pytest.raises(MissingDependencyError):
        kafka_classpath(java, tmp_path / "classpath", tmp_path / "jars.log", timeout_seconds=0.2)
