from __future__ import annotations

from pathlib import Path

import pytest

from solosolve.errors import MissingDependencyError
from solosolve.local.java import find_java, spark_jars, spark_program


def fake_java(folder: Path) -> str:
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\n")
    java.chmod(0o755)
    return str(java)


def test_find_java_looks_in_java_home_if_set_and_otherwise_on_the_path(tmp_path: Path) -> None:
    home, path = fake_java(tmp_path / "home"), fake_java(tmp_path / "path")
    environ = {"PATH": str(Path(path).parent)}
    assert find_java(environ) == path
    assert find_java(environ | {"JAVA_HOME": str(tmp_path / "home")}) == home
    assert find_java(environ | {"JAVA_HOME": str(tmp_path)}) is None


def test_spark_jars_are_found_by_pattern() -> None:
    assert [jar.name.partition("_")[0] for jar in spark_jars("spark-core_*.jar")] == ["spark-core"]
    assert spark_jars("no-such-*.jar") == []


def test_spark_program_is_one_that_pyspark_brings() -> None:
    assert Path(spark_program("spark-class")).is_file()
    with pytest.raises(MissingDependencyError, match="include no no-such-program; "):
        spark_program("no-such-program")
