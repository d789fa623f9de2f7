"""What this machine lacks for running the jobs here, and how to mend it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
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
from solosolve.settings import Settings

DASHBOARD_PORT = 8050

_OLDEST_PYTHON = (3, 11)
_JAVA_VERSIONS = (17, 21)
_JAVA_SECONDS = 30
# Spark's launcher demands it; trimmed Java builds leave it out.
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
    """One thing that was looked at: what was found, and what to do where it does not suffice."""

    name: str
    is_ok: bool
    found: str
    remedy: str


def diagnose(settings: Settings) -> list[Finding]:
    """Looks at all that the jobs, the dashboard and the broker need here; changes nothing.

    Args:
        settings: Whose home folder the disk is looked at of.
    """
    return [
        check_python(),
        check_java(os.environ),
        check_disk(settings.home),
        check_memory(),
        check_packages("solosolve"),
        check_spark_jars((Path.home() / ".ivy2.5.2", Path.home() / ".ivy2")),
        check_port("dashboard port", DASHBOARD_PORT, "stop what listens there; jobs don't need the port"),
        check_kafka_port(settings),
    ]


def require_java() -> None:
    """Stops early where Spark could not start.

    Raises:
        MissingDependencyError: No Java that Spark runs on; the message has the remedy.
    """
    java = check_java(os.environ)
    if not java.is_ok:
        raise MissingDependencyError(f"Java {_either(_JAVA_VERSIONS)} is needed, found: {java.found}; {java.remedy}")


def check_python() -> Finding:
    """Looks at the running interpreter's version."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    oldest = ".".join(str(part) for part in _OLDEST_PYTHON)
    return Finding("Python", sys.version_info >= _OLDEST_PYTHON, found, f"install Python {oldest} or newer")


def check_java(environ: Mapping[str, str]) -> Finding:
    """Looks for the Java that Spark would start: `JAVA_HOME`'s, else the first on `PATH`."""
    home = environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else environ.get("PATH", os.defpath))
    if java is None:
        return Finding("Java", False, f"no bin/java in JAVA_HOME={home}" if home else "no java on PATH", _JAVA_REMEDY)
    answer, is_full = _ask_java(java, f"--add-modules={_JAVA_MODULE}", "-version"), True
    if _java_version(answer) is None:
        answer, is_full = _ask_java(java, "-version"), False
    version = _java_version(answer)
    if version is None:
        return Finding("Java", False, f"{java} does not say its version ({answer or 'no answer'})", _JAVA_REMEDY)
    if version not in _JAVA_VERSIONS:
        return Finding("Java", False, f"{version} at {java}, Spark runs on {_either(_JAVA_VERSIONS)}", _JAVA_REMEDY)
    if not is_full:
        return Finding("Java", False, f"{version} at {java} without the module {_JAVA_MODULE}", _JAVA_REMEDY)
    return Finding("Java", True, f"{version} at {java}", _JAVA_REMEDY)


def check_disk(home: Path) -> Finding:
    """Looks at the free space where the home folder is, or will be."""
    there = next(folder for folder in (home, *home.parents) if folder.is_dir())
    free = shutil.disk_usage(there).free / _GIB
    remedy = f"free {_DISK_GIB} GiB, or set SOLOSOLVE_HOME to a folder on a bigger disk"
    return Finding("disk", free >= _DISK_GIB, f"{free:.1f} GiB free at {there}, {_DISK_GIB} needed", remedy)


def check_memory() -> Finding:
    """Looks at the machine's memory."""
    memory = psutil.virtual_memory()
    total, available = memory.total / _GIB, memory.available / _GIB
    found = f"{total:.1f} GiB, {available:.1f} available, {_MEMORY_GIB} needed"
    return Finding("memory", total >= _MEMORY_GIB, found, f"use a machine with {_MEMORY_GIB} GiB or more")


def check_packages(distribution: str) -> Finding:
    """Looks whether what a distribution requires for local use is installed, in the versions that it allows.

    Args:
        distribution: The installed distribution whose requirements, with the extra `local`, are looked at.
    """
    try:
        requirements = [Requirement(line) for line in importlib.metadata.requires(distribution) or []]
    except importlib.metadata.PackageNotFoundError:
        return Finding("packages", False, f"{distribution} is not installed in {sys.prefix}", _INSTALL)
    wanted = [each for each in requirements if each.marker is None or each.marker.evaluate({"extra": "local"})]
    problems = [problem for each in wanted if (problem := _package_problem(each))]
    return Finding("packages", not problems, "; ".join(problems) or f"{len(wanted)}, all as required", _INSTALL)


def check_spark_jars(ivy_folders: tuple[Path, ...]) -> Finding:
    """Looks for the Delta Lake jar in Ivy's folders and among Spark's own jars.

    Args:
        ivy_folders: Folders that hold Ivy's `jars` and `cache`.
    """
    pyspark = importlib.util.find_spec("pyspark")
    own = [Path(folder) / "jars" for folder in (pyspark.submodule_search_locations or [] if pyspark else [])]
    places = [(folder / "jars", "*delta-spark_*.jar") for folder in ivy_folders]
    places += [(folder / "cache" / "io.delta", "delta-spark_*/jars/*.jar") for folder in ivy_folders]
    places += [(folder, "delta-spark_*.jar") for folder in own]
    jars = [jar for folder, pattern in places for jar in sorted(folder.glob(pattern))]
    found = str(jars[0]) if jars else f"no delta-spark jar below {' or '.join(str(folder) for folder in ivy_folders)}"
    return Finding("Spark jars", bool(jars), found, "run any job once with internet access; Spark fetches them")


def check_port(name: str, port: int, remedy: str) -> Finding:
    """Looks whether a program could listen at a port of 127.0.0.1."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections still time out is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding(name, False, f"127.0.0.1:{port} cannot be used ({error.strerror})", remedy)
    return Finding(name, True, f"127.0.0.1:{port} is free", remedy)


def check_kafka_port(settings: Settings) -> Finding:
    """Looks whether the home's broker runs, or could."""
    name, remedy = "Kafka port", "stop what listens there, or keep it: jobs without Kafka don't need the port"
    from solosolve.local.broker import Broker

    running = Broker(settings).status()
    if running is not None:
        return Finding(name, True, f"{running.address} is the broker of this home (pid {running.pid})", remedy)
    port = settings.kafka_port_here
    if port is None:
        return Finding(name, True, f"none is needed here: the brokers are at {settings.kafka_bootstrap}", remedy)
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
