"""Kafka's jars, fetched once by name with the resolver that Spark brings along."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from solosolve.errors import MissingDependencyError

KAFKA_VERSION = "4.1.0"

_MODULE = ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION)
_RESOLVE_SECONDS = 900
# The resolver's cache is the user's, and two resolvers at once leave each other's files half-written.
_CACHE = Path("~/.ivy2")
# Kafka logs through SLF4J and its own jars name no implementation; Spark's must come before Kafka's older interface.
_LOGGING_JARS = ("slf4j-api-*.jar", "log4j-slf4j2-impl-*.jar", "log4j-api-*.jar", "log4j-core-*.jar")


def java_command(environ: Mapping[str, str]) -> str:
    """The Java that Spark would start: `JAVA_HOME`'s, else the first on `PATH`.

    Raises:
        MissingDependencyError: There is none.
    """
    home = environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else environ.get("PATH", os.defpath))
    if java is None:
        raise MissingDependencyError("no java in JAVA_HOME or on PATH; solosolve doctor says how to mend it")
    return java


def kafka_classpath(java: str, kept: Path, log: Path) -> str:
    """The classpath of a broker; its jars are fetched where one of them is missing.

    Args:
        java: The Java that runs the resolver.
        kept: The file that keeps Kafka's jars between calls.
        log: The file that the resolver's output goes to.

    Returns:
        Paths of jars, as Java's `-cp` takes them.

    Raises:
        MissingDependencyError: The jars cannot be fetched; the message has the log.
    """
    if not is_whole(kept):
        _resolve(java, kept, log)
    jars = kept.read_text(encoding="utf-8").strip().split(os.pathsep)
    return os.pathsep.join([*(_spark_jar(pattern) for pattern in _LOGGING_JARS), *jars])


def is_whole(kept: Path) -> bool:
    """Whether a classpath was kept and all its jars are there."""
    if not kept.is_file():
        return False
    jars = kept.read_text(encoding="utf-8").strip().split(os.pathsep)
    return any(KAFKA_VERSION in jar for jar in jars) and all(Path(jar).is_file() for jar in jars)


def _resolve(java: str, kept: Path, log: Path) -> None:
    found = kept.with_name(f"{kept.name}.part")
    found.unlink(missing_ok=True)
    words = [
        java,
        "-jar",
        _spark_jar("ivy-*.jar"),
        "-dependency",
        *_MODULE,
        "-confs",
        "default",
        "-cachepath",
        str(found),
    ]
    cache = _CACHE.expanduser()
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "solosolve.lock"), log.open("wb") as output:
        try:
            code = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=_RESOLVE_SECONDS, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
    if code != 0 or not is_whole(found):
        raise MissingDependencyError(
            f"the jars of Kafka {KAFKA_VERSION} could not be fetched; they need internet access once, and {log} has "
            "what the resolver says"
        )
    found.replace(kept)


def _spark_jar(pattern: str) -> str:
    pyspark = importlib.util.find_spec("pyspark")
    folders = [Path(folder) / "jars" for folder in (pyspark.submodule_search_locations or [] if pyspark else [])]
    jars = [jar for folder in folders for jar in sorted(folder.glob(pattern))]
    if not jars:
        raise MissingDependencyError(f"no {pattern} among Spark's jars; pip install -c constraints.txt -e '.[local]'")
    return str(jars[-1])
