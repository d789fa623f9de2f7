from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from solosolve.errors import MissingDependencyError
from solosolve.local import doctor
from solosolve.settings import Settings


def fake_java(folder: Path, script: str) -> dict[str, str]:
    """Writes a `java` that runs a script, and returns the environment in which it is found."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\n{script}\n")
    java.chmod(0o755)
    return {"JAVA_HOME": str(folder)}


def prints_version(version: str) -> str:
    return f"echo 'openjdk version \"{version}\" 2025-04-15' >&2"


@pytest.mark.parametrize(
    ("version", "feature", "is_ok"),
    [
        ("17.0.15", 17, True),
        ("21", 21, True),
        ("21-ea", 21, True),
        ("1.8.0_402", 8, False),
        ("11.0.2", 11, False),
        ("25.0.1", 25, False),
    ],
)
def test_java_must_be_a_version_that_spark_runs_on(tmp_path: Path, version: str, feature: int, is_ok: bool) -> None:
    finding = doctor.check_java(fake_java(tmp_path, prints_version(version)))
    assert finding.is_ok is is_ok
    assert finding.found.startswith(f"{feature} at {tmp_path}")
    assert "install a full Java 17" in finding.remedy


def test_java_version_is_found_after_other_output(tmp_path: Path) -> None:
    warnings = "echo 'Picked up JAVA_TOOL_OPTIONS: -Xmx1g' >&2; echo 'WARNING: Using incubator modules' >&2"
    assert doctor.check_java(fake_java(tmp_path, f"{warnings}; {prints_version('17.0.1')}")).is_ok


def test_java_without_the_vector_module_is_refused(tmp_path: Path) -> None:
    script = f'case "$1" in --add-modules*) exit 1;; esac; {prints_version("17.0.15")}'
    finding = doctor.check_java(fake_java(tmp_path, script))
    assert not finding.is_ok
    assert "without the module jdk.incubator.vector" in finding.found


def test_java_too_old_for_modules_is_reported_by_its_version(tmp_path: Path) -> None:
    script = (
        f'case "$1" in --add-modules*) echo "Unrecognized option" >&2; exit 1;; esac; {prints_version("1.8.0_402")}'
    )
    assert doctor.check_java(fake_java(tmp_path, script)).found.startswith("8 at ")


@pytest.mark.parametrize("script", ["exit 3", "echo nonsense"])
def test_java_that_reports_no_version_is_refused(tmp_path: Path, script: str) -> None:
    finding = doctor.check_java(fake_java(tmp_path, script))
    assert not finding.is_ok
    assert "does not report a version" in finding.found


def test_java_home_without_java_is_refused_even_if_path_has_one(tmp_path: Path) -> None:
    fake_java(tmp_path, prints_version("17.0.15"))
    finding = doctor.check_java({"JAVA_HOME": str(tmp_path / "nowhere"), "PATH": str(tmp_path / "bin")})
    assert (finding.is_ok, finding.found) == (False, f"no bin/java in JAVA_HOME={tmp_path / 'nowhere'}")


def test_java_is_found_on_the_path(tmp_path: Path) -> None:
    fake_java(tmp_path, prints_version("17.0.15"))
    assert doctor.check_java({"PATH": str(tmp_path / "bin")}).is_ok


def test_require_java_without_any_java_fails_with_one_line_and_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError) as caught:
        doctor.require_java()
    message = str(caught.value)
    assert message.startswith("Java 17 or 21 is required, found: no java on PATH; install a full Java 17")
    assert "\n" not in message


@pytest.mark.skipif(shutil.which("java") is None, reason="no java on PATH")
def test_require_java_returns_the_java_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert doctor.require_java() == shutil.which("java")


def test_disk_is_checked_where_the_home_will_be(tmp_path: Path) -> None:
    finding = doctor.check_disk(tmp_path / "not" / "yet")
    assert f"free at {tmp_path}, 5 needed" in finding.found
    assert finding.is_ok is (shutil.disk_usage(tmp_path).free >= 5 * 2**30)


def test_memory_check_reports_the_total() -> None:
    finding = doctor.check_memory()
    assert finding.is_ok is (float(finding.found.split(" GiB")[0]) >= 4)


def test_port_in_use_is_reported() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        taken = doctor.check_port("dashboard port", port, "stop it")
        assert (taken.is_ok, taken.remedy) == (False, "stop it")
        assert f"127.0.0.1:{port} is not available" in taken.found
    assert doctor.check_port("dashboard port", port, "stop it").is_ok


def installed(site: Path, name: str, version: str, *requires: str) -> None:
    """Writes a distribution's metadata where the interpreter looks for it."""
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir()
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {r}" for r in requires),
    ]
    (folder / "METADATA").write_text("\n".join(lines) + "\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    installed(tmp_path, "solo-lib", "1.5")
    return tmp_path


def test_packages_in_allowed_versions_pass(site: Path) -> None:
    installed(site, "solo-app", "1", "solo-lib>=1.2", 'solo-lib<2; extra == "local"', 'absent; extra == "dev"')
    finding = doctor.check_packages("solo-app")
    assert (finding.is_ok, finding.found) == (True, "2, all as required")


def test_packages_of_the_local_extra_are_checked(site: Path) -> None:
    installed(site, "solo-app", "1", "solo-lib>=2", 'absent; extra == "local"')
    finding = doctor.check_packages("solo-app")
    assert (finding.is_ok, finding.found) == (False, "solo-lib is 1.5, required >=2; absent is missing")


def test_packages_of_a_distribution_that_is_not_installed_are_reported() -> None:
    finding = doctor.check_packages("no-such-distribution")
    assert not finding.is_ok
    assert finding.found.startswith("no-such-distribution is not installed")


@pytest.mark.parametrize(
    "path",
    [
        "jars/io.delta_delta-spark_2.13-4.4.0.jar",
        "cache/io.delta/delta-spark_2.13/jars/delta-spark_2.13-4.4.0.jar",
    ],
)
def test_spark_jars_are_found_in_ivys_folders(tmp_path: Path, path: str) -> None:
    jar = tmp_path / path
    jar.parent.mkdir(parents=True)
    jar.touch()
    finding = doctor.check_spark_jars((tmp_path / "other", tmp_path))
    assert (finding.is_ok, finding.found) == (True, str(jar))


def test_missing_spark_jars_are_reported_with_the_searched_folders(tmp_path: Path) -> None:
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "io.delta_delta-storage-4.4.0.jar").touch()
    finding = doctor.check_spark_jars((tmp_path,))
    assert (finding.is_ok, finding.found) == (False, f"no delta-spark jar in {tmp_path}")


def test_diagnose_runs_every_check_and_offers_remedies(tmp_path: Path) -> None:
    findings = doctor.diagnose(Settings(home=tmp_path))
    assert [finding.name for finding in findings] == [
        "Python",
        "Java",
        "disk",
        "memory",
        "packages",
        "Spark jars",
        "dashboard port",
        "Kafka port",
    ]
    assert all(finding.found and finding.remedy for finding in findings)
    assert findings[0].is_ok
