"""The `solosolve` command."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from solosolve import __version__
from solosolve.cli.bundle_commands import bundle, bundle_root, pairs, var_option
from solosolve.cli.console import console, print_line
from solosolve.cli.deadletters_commands import deadletters
from solosolve.cli.feedback_commands import feedback
from solosolve.cli.kafka_commands import kafka
from solosolve.cli.live_command import live
from solosolve.cli.model_commands import model
from solosolve.cli.replay_command import replay
from solosolve.errors import UsageError
from solosolve.exit_codes import run_as_program
from solosolve.names import DASHBOARD_PORT
from solosolve.settings import LOCAL, Settings

if TYPE_CHECKING:
    from solosolve.cli.render import Format

# Commands import what they need when they run, so that `solosolve sql` does not wait for Spark or MLflow.

_target = click.option("--target", default="local", show_default=True, help="Bundle target.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Predict, while a consumer complaint is open, whether it will be resolved successfully."""


@cli.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...")
@_target
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A job parameter; may be repeated.")
@var_option
@click.option("--from", "start", metavar="TASK", help="Skip the tasks before this one.")
@click.option("--only", multiple=True, metavar="TASK", help="Run only this task; may be repeated.")
def run(
    jobs: tuple[str, ...],
    target: str,
    params: tuple[str, ...],
    variables: tuple[str, ...],
    start: str | None,
    only: tuple[str, ...],
) -> None:
    """Run jobs of the bundle here, one after another, in one Spark session."""
    from solosolve.local.doctor import require_java
    from solosolve.local.job_plan import load_bundle
    from solosolve.local.runner import from_task, only_tasks, run_tasks
    from solosolve.logs import set_up_logging
    from solosolve.storage.spark import stop_session

    root = bundle_root()
    settings = Settings.load()
    if target != LOCAL:
        deploy = f"databricks bundle deploy --target {target}"
        raise UsageError(f"--target: found '{target}', but only '{LOCAL}' runs here; to deploy, run: {deploy}")
    tasks = load_bundle(root, target, variables=pairs("--var", variables)).plan(jobs, pairs("--param", params))
    tasks = only_tasks(tasks, only) if only else tasks
    tasks = from_task(tasks, start) if start else tasks
    require_java()
    progress = console()
    set_up_logging(settings.logs, progress)
    repeated = {"--param": params, "--var": variables, "--only": only}
    words = [word for option, values in repeated.items() for value in values for word in (option, value)]
    resume = shlex.join(["solosolve", "run", *jobs, *words])
    try:
        run_tasks(tasks, runs=settings.runs, resume=resume, console=progress)
    finally:
        stop_session()


@cli.command()
def report() -> None:
    """Show what the tables hold, how good the model is, and how long each task took."""
    from solosolve.local.report import show_report

    show_report(Settings.load(), console(stderr=False))


@cli.command()
@click.argument("query")
@click.option("--format", "fmt", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def sql(query: str, fmt: Format) -> None:
    """Query the tables, without a JVM: solosolve sql "select * from gold.predictions limit 5"."""
    from solosolve.cli.render import render
    from solosolve.storage.store_reader import reader_of

    found = reader_of(Settings.load()).query(query)
    render(found, fmt, console(stderr=False))


@cli.command()
@click.option("--rows", type=click.IntRange(min=1), default=50_000, show_default=True, help="Complaints to make.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=7,
    show_default=True,
    help="The same seed gives the same file.",
)
@click.option("--layout", type=click.Choice(["18", "16"]), default="18", show_default=True, help="Number of columns.")
@click.option("--to", "path", type=click.Path(path_type=Path, dir_okay=False), help="The CSV file to write.")
def sample(rows: int, seed: int, layout: str, path: Path | None) -> None:
    """Make sample complaints that follow the real base rates, with known true probabilities."""
    from rich.progress import Progress

    from solosolve.samples.writer import write_sample

    path = path or Settings.load().home / "landing" / f"sample_{layout}_{rows}_{seed}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with Progress(console=console(), transient=True) as progress:
        bar = progress.add_task("making complaints", total=rows)
        made = write_sample(
            path, rows=rows, seed=seed, layout=18 if layout == "18" else 16,
            progress=lambda done: progress.update(bar, completed=done),
        )  # fmt: skip
    print_line(f"{made.rows:,} complaints in {made.path} ({made.seconds:.1f} s)")


@cli.command()
@click.option("--to", "path", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@click.option("--url", help="Fetch from this address instead of the Bureau's.")
def download(path: Path | None, url: str | None) -> None:
    """Fetch the Bureau's published complaints (a zipped CSV of several GB), resuming an interrupted download."""
    from solosolve.local.download import CFPB_URL, download_with_progress

    path = path or Settings.load().home / "landing" / "complaints.csv.zip"
    fetched = download_with_progress(path, url or CFPB_URL, console())
    print_line(f"{fetched.path}: {fetched.byte_count:,} bytes, SHA-256 {fetched.sha256}")


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=DASHBOARD_PORT,
    show_default=True,
    help="Port to listen on.",
)
@_target
def dashboard(host: str, port: int, target: str) -> None:
    """Serve the dashboard."""
    from solosolve.dashboard.web.serve import serve_dashboard
    from solosolve.logs import set_up_logging

    settings = Settings.load(target)
    set_up_logging(settings.logs, console())
    serve_dashboard(settings, host, port)


@cli.command()
@_target
def doctor(target: str) -> None:
    """Check whether this machine has what the jobs need, and how to fix what is missing."""
    from solosolve.errors import MissingDependencyError
    from solosolve.local.doctor import diagnose

    findings = diagnose(Settings.load(target))
    out = console(stderr=False)
    for finding in findings:
        mark = "[green]ok[/]     " if finding.is_ok else "[red]missing[/]"
        out.print(f"{mark} {finding.name}: {finding.found}", highlight=False)
        if not finding.is_ok:
            out.print(f"        {finding.remedy}", highlight=False)
    if missing := [finding.name for finding in findings if not finding.is_ok]:
        raise MissingDependencyError(f"{len(missing)} of {len(findings)} checks failed: {', '.join(missing)}")


cli.add_command(bundle)
cli.add_command(deadletters)
cli.add_command(feedback)
cli.add_command(kafka)
cli.add_command(live)
cli.add_command(model)
cli.add_command(replay)


def main() -> None:
    """Runs the command line and exits."""
    run_as_program(lambda: cli.main(standalone_mode=False))
