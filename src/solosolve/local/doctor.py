"""Checks that this machine can run the jobs, the dashboard and the broker, each with its remedy."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from solosolve.errors import MissingDependencyError
from solosolve.local.broker_process import running_broker
from solosolve.local.java import find_java, spark_jars
from solosolve.names import DASHBOARD_PORT
from solosolve.settings import Settings

_OLDEST_PYTHON = (3, 11)
_JAVA_VERSIONS = (17, 21)
_JAVA_SECONDS = 30
# Spark's launcher requires it; stripped-down Java builds leave it out.
_JAVA_MODULE = "jdk.incubator.vector"
_JAVA_REMEDY = (
    "install a full Java 17 (Debian: apt-get install openjdk-17-jre-headless) and put it on PATH or set JAVA_HOME"
)
_GIB = 1 << 30
_DISK_GIB = 5
_MEMORY_GIB = 4
_INSTALL = "pip install -c constraints.txt -e '.[local]'"


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        name: What was checked.
        is_ok: Whether it suffices.
        found: What was found.
        remedy: What to do if it does not suffice.
    """

    name: str
    is_ok: bool
    found: str
    remedy: str


def diagnose(settings: Settings) -> list[Finding]:
    """Runs every check; changes nothing.

    Args:
        settings: The home folder, whose disk is checked, and the broker's address.
    """
    return [
        check_python(),
        check_java(os.environ),
        check_disk(settings.home),
        check_memory(),
        check_packages("solosolve"),
        check_spark_jars((Path.home() / ".ivy2.5.2", Path.home() / ".ivy2")),
        check_port("dashboard port", DASHBOARD_PORT, "stop what listens there; jobs do not need the port"),
        check_kafka_port(settings),
    ]


def require_java() -> str:
    """Finds the Java that Spark would start, or fails before Spark does.

    Returns:
        The path of `java`.

    Raises:
        MissingDependencyError: Spark does not run on it, or there is none; the message has the remedy.
    """
    java, checked = find_java(os.environ), check_java(os.environ)
    if java is None or not checked.is_ok:
        raise MissingDependencyError(
            f"Java {_either(_JAVA_VERSIONS)} is required, found: {checked.found}; {checked.remedy}"
        )
    return java


def check_python() -> Finding:
    """Checks the version of the running interpreter."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    oldest = ".".join(str(part) for part in _OLDEST_PYTHON)
    return Finding("Python", sys.version_info >= _OLDEST_PYTHON, found, f"install Python {oldest} or newer")


def check_java(environ: Mapping[str, str]) -> Finding:
    """Checks that Spark runs on the Java that it would start."""
    java = find_java(environ)
    if java is None:
        home = environ.get("JAVA_HOME")
        return Finding("Java", False, f"no bin/java in JAVA_HOME={home}" if home else "no java on PATH", _JAVA_REMEDY)
    answer, is_full = _ask_java(java, f"--add-modules={_JAVA_MODULE}", "-version"), True
    if _java_version(answer) is None:
        answer, is_full = _ask_java(java, "-version"), False
    version = _java_version(answer)
    if version is None:
        return Finding("Java", False, f"{java} does not report a version ({answer or 'no output'})", _JAVA_REMEDY)
    if version not in _JAVA_VERSIONS:
        return Finding("Java", False, f"{version} at {java}, but Spark runs on {_either(_JAVA_VERSIONS)}", _JAVA_REMEDY)
    if not is_full:
        return Finding("Java", False, f"{version} at {java} without the module {_JAVA_MODULE}", _JAVA_REMEDY)
    return Finding("Java", True, f"{version} at {java}", _JAVA_REMEDY)


def check_disk(home: Path) -> Finding:
    """Checks the free space on the disk of the home folder, whether or not that folder exists yet."""
    existing = next(folder for folder in (home, *home.parents) if folder.is_dir())
    free = shutil.disk_usage(existing).free / _GIB
    remedy = f"free {_DISK_GIB} GiB, or set SOLOSOLVE_HOME to a folder on a bigger disk"
    return Finding("disk", free >= _DISK_GIB, f"{free:.1f} GiB free at {existing}, {_DISK_GIB} needed", remedy)


def check_memory() -> Finding:
    """Checks the machine's memory."""
    memory = psutil.virtual_memory()
    total, available = memory.total / _GIB, memory.available / _GIB
    found = f"{total:.1f} GiB, {available:.1f} available, {_MEMORY_GIB} needed"
    return Finding("memory", total >= _MEMORY_GIB, found, f"use a machine with {_MEMORY_GIB} GiB or more")


def check_packages(distribution: str) -> Finding:
    """Checks that every package a distribution requires for local use is installed in an allowed version.

    Args:
        distribution: An installed distribution; its requirements include those of its extra `local`.
    """
    try:
        requirements = [Requirement(line) for line in importlib.metadata.requires(distribution) or []]
    except importlib.metadata.PackageNotFoundError:
        return Finding("packages", False, f"{distribution} is not installed in {sys.prefix}", _INSTALL)
    local = [each for each in requirements if each.marker is None or each.marker.evaluate({"extra": "local"})]
    problems = [problem for each in local if (problem := _package_problem(each))]
    return Finding("packages", not problems, "; ".join(problems) or f"{len(local)}, all as required", _INSTALL)


def check_spark_jars(ivy_folders: tuple[Path, ...]) -> Finding:
    """Checks that the Delta Lake jar is in one of Ivy's folders or among Spark's own jars.

    Args:
        ivy_folders: Folders that hold Ivy's `jars` and `cache`.
    """
    places = [(folder / "jars", "*delta-spark_*.jar") for folder in ivy_folders]
    places += [(folder / "cache" / "io.delta", "delta-spark_*/jars/*.jar") for folder in ivy_folders]
    jars = [jar for folder, pattern in places for jar in sorted(folder.glob(pattern))]
    jars += spark_jars("delta-spark_*.jar")
    found = str(jars[0]) if jars else f"no delta-spark jar in {' or '.join(str(folder) for folder in ivy_folders)}"
    return Finding("Spark jars", bool(jars), found, "run any job once with internet access, and Spark downloads them")


def check_port(name: str, port: int, remedy: str) -> Finding:
    """Checks that a program can listen on a port of 127.0.0.1."""
    with socket.socket() as probe:
        # As servers do: without it, a port whose last connections are still closing looks taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding(name, False, f"127.0.0.1:{port} is not available ({error.strerror})", remedy)
    return Finding(name, True, f"127.0.0.1:{port} is free", remedy)


def check_kafka_port(settings: Settings) -> Finding:
    """Checks that the home's broker is running, or that its port is free."""
    name, remedy = "Kafka port", "stop what listens there, or leave it: jobs without Kafka do not need the port"
    running = running_broker(settings.home)
    if running is not None:
        return Finding(name, True, f"{running.address} is the broker of this home (pid {running.pid})", remedy)
    port = settings.kafka_port_here
    if port is None:
        return Finding(name, True, f"not needed on this machine: the brokers are at {settings.kafka_bootstrap}", remedy)
    return check_port(name, port, remedy)


def _ask_java(java: str, *words: str) -> str:
    try:
        answer = subprocess.run([java, *words], capture_output=True, text=True, timeout=_JAVA_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return " ".join((answer.stderr + answer.stdout).split()) if answer.returncode == 0 else ""


def _java_version(answer: str) -> int | None:
    """The feature release: 17 of `version "17.0.15"`, 8 of `version "1.8.0_402"`."""
    found = re.search(r'version "(?:1\.)?(\d+)', answer)
    return int(found[1]) if found else None


def _package_problem(requirement: Requirement) -> str | None:
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(version, prereleases=True):
        return None
    return f"{requirement.name} is {version}, required {requirement.specifier}"


def _either(versions: tuple[int, ...]) -> str:
    return " or ".join(str(version) for version in versions)
