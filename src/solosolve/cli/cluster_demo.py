"""Runs the main job on a Spark cluster on this machine, and shows that it writes what it writes without one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import click
import pyspark
from rich.console import Console

from solosolve.cli.bundle_commands import bundle_root
from solosolve.errors import ClusterError
from solosolve.exit_codes import run_as_program
from solosolve.local.doctor import require_java
from solosolve.local.java import spark_program
from solosolve.local.processes import end, end_with_parent, interrupted_by_signals
from solosolve.local.spark_cluster import SparkCluster
from solosolve.local.table_comparison import compare
from solosolve.samples.writer import write_sample
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader

PROPERTIES: Final = Path("bundle") / "spark-cluster.conf"
_JOBS: Final = ("medallion", "train_model", "request_scores", "score_stream")
_LAST_JOB: Final = "score_batch"
_LAST_TASK: Final = Path("jobs") / "score_complaints.py"
_STOP_SECONDS = 20
# Most of the time goes into starting JVMs, which is faster without the second compiler.
_QUICK: Final = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1"}
# The sessions of master, workers and driver share one machine.
_SMALL: Final = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.executor.memory": "1g",
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.ui.enabled": "false",
    **{f"spark.executorEnv.{name}": value for name, value in _QUICK.items()},
}


@click.command()
@click.option("--rows", type=click.IntRange(min=1_000), default=20_000, show_default=True, help="Sample complaints.")
@click.option(
    "--wheel", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The project's wheel."
)
def main(rows: int, wheel: Path) -> None:
    """Run the main job here and on a cluster of two workers, and compare the tables row by row."""
    root = bundle_root()
    require_java()
    folder = Settings.load().home / "cluster-demo"
    shutil.rmtree(folder, ignore_errors=True)
    with interrupted_by_signals():
        _Demo(root, folder, Console(stderr=True)).run(rows, wheel)


class _Demo:
    """One run of the demonstration; all its files are in a folder."""

    def __init__(self, root: Path, folder: Path, console: Console) -> None:
        self._root, self._folder, self._console = root, folder, console

    def run(self, rows: int, wheel: Path) -> None:
        """Runs the jobs twice and compares.

        Raises:
            ClusterError: A run failed, or the tables differ.
        """
        sample = write_sample(self._folder / "landing" / "sample.csv", rows=rows, seed=7)
        parameters = ("--param", f"medallion.source={sample.path}", "--param", "available_now=true")
        here, there = self._home("one-machine"), self._home("cluster")
        self._print(f"1. {', '.join((*_JOBS, _LAST_JOB))} without a cluster, on local[*]")
        self._solosolve(here, {}, "run", *_JOBS, _LAST_JOB, *parameters)
        code = self._archive(wheel)
        python = _environment_without_project(self._folder / "environment")
        with SparkCluster(self._folder / "spark") as cluster:
            place = f"a cluster of {cluster.alive_workers()} workers, {cluster.address}"
            self._print(f"2. {', '.join(_JOBS)} by solosolve run on {place}")
            properties = self._properties(cluster.address, code)
            settings = {"SOLOSOLVE_SPARK_PROPERTIES": str(properties), "PYSPARK_PYTHON": str(python)}
            self._solosolve(there, settings, "run", *_JOBS, *parameters)
            self._print(f"3. {_LAST_JOB} by spark-submit on the same cluster")
            self._submit(there, cluster.address, code, python)
        self._print("4. the tables of the two runs, row by row")
        found = compare(DeltaReader(here / "warehouse"), DeltaReader(there / "warehouse"))
        for each in found:
            self._console.print(f"      {each}", style="green" if each.is_equal else "red", highlight=False)
        if not all(each.is_equal for each in found):
            raise ClusterError("the cluster has written other rows than one machine has")

    def _print(self, heading: str) -> None:
        self._console.print(heading, style="bold", highlight=False, soft_wrap=True)

    def _home(self, name: str) -> Path:
        home = self._folder / name
        home.mkdir(parents=True)
        return home

    def _archive(self, wheel: Path) -> Path:
        """A wheel is a zip archive, but Spark puts nothing on its workers' path that has another ending."""
        archive = self._folder / "solosolve.zip"
        shutil.copyfile(wheel, archive)
        return archive

    def _properties(self, master: str, code: Path) -> Path:
        own = _SMALL | {"spark.master": master, "spark.submit.pyFiles": str(code)}
        path = self._folder / "spark.conf"
        text = (self._root / PROPERTIES).read_text(encoding="utf-8")
        path.write_text(text + "".join(f"{name} {value}\n" for name, value in own.items()), encoding="utf-8")
        return path

    def _solosolve(self, home: Path, settings: Mapping[str, str], *words: str) -> None:
        self._call(home, settings, [sys.executable, "-m", "solosolve", *words])

    def _submit(self, home: Path, master: str, code: Path, python: Path) -> None:
        """Runs the last task by spark-submit, whose driver, too, takes the project's code from the archive."""
        options = [word for name, value in _SMALL.items() for word in ("--conf", f"{name}={value}")]
        words = [
            *(spark_program("spark-submit"), "--properties-file", str(self._root / PROPERTIES), "--master", master),
            *("--py-files", str(code), *options, str(self._root / _LAST_TASK)),
        ]
        started = time.monotonic()
        settings = {"PYSPARK_PYTHON": str(python), "PYSPARK_DRIVER_PYTHON": str(python), "PYTHONPATH": ""}
        self._call(home, settings, words, output=self._folder / "spark-submit.log")
        seconds = time.monotonic() - started
        self._console.print(f"      done in {seconds:.1f} s", highlight=False)

    def _call(self, home: Path, settings: Mapping[str, str], words: Sequence[str], output: Path | None = None) -> None:
        environment = os.environ | _QUICK | {"SOLOSOLVE_HOME": str(home), **settings}
        with output.open("wb") if output else nullcontext() as file:
            process = subprocess.Popen(
                words, cwd=self._root, env=environment, stdout=file, stderr=file, preexec_fn=end_with_parent
            )
            try:
                code = process.wait()
            finally:
                end(process, _STOP_SECONDS)
        if code:
            logs = f"its output is in {output}" if output else f"its logs are in {home / 'logs'}"
            raise ClusterError(f"{' '.join(words[:4])} ... failed with exit code {code}; {logs}")


def _environment_without_project(folder: Path) -> Path:
    """Makes a Python environment with this one's libraries, but not the project; returns its Python.

    It stands for what an archive of libraries is on the nodes of a real cluster. Code that does not arrive by
    `spark.submit.pyFiles` cannot be imported in it.
    """
    venv.create(folder, symlinks=True)
    libraries = Path(pyspark.__file__).parents[1]
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    # A path file names folders, whose own path files (an editable installation is one) are not read.
    (packages / "libraries.pth").write_text(f"{libraries}\n", encoding="utf-8")
    return folder / "bin" / "python"


if __name__ == "__main__":
    run_as_program(lambda: main(standalone_mode=False))
