"""The `solosolve bundle` commands: check the bundle, show what its jobs would run, and draw them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from solosolve.bundle import find_bundle
from solosolve.cli.console import print_line
from solosolve.errors import BundleError, UsageError

var_option = click.option(
    "--var", "variables", multiple=True, metavar="NAME=VALUE", help="A bundle variable; may be repeated."
)
"""The option that sets bundle variables, as the Databricks CLI has it."""


def bundle_root() -> Path:
    """The folder of the bundle.

    Raises:
        BundleError: There is none here.
    """
    root = find_bundle()
    if root is None:
        raise BundleError("databricks.yml not found in this folder or its parents: run from the bundle's folder")
    return root


def pairs(option: str, words: Sequence[str]) -> dict[str, str]:
    """Reads the values of an option that takes NAME=VALUE.

    Raises:
        UsageError: One has another form.
    """
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals):
            raise UsageError(f"{option}: found '{word}', allowed: NAME=VALUE")
        found[name] = value
    return found


@click.group()
def bundle() -> None:
    """Check the bundle without a workspace, show what its jobs would run, and draw them."""


@bundle.command()
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.option("--target", default="local", show_default=True, help="Bundle target, or local.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A job parameter; may be repeated.")
@var_option
@click.option("--format", "fmt", type=click.Choice(["text", "json"]), default="text", show_default=True)
def plan(jobs: tuple[str, ...], target: str, params: tuple[str, ...], variables: tuple[str, ...], fmt: str) -> None:
    """Show the tasks of jobs in order: file, arguments and environment; all jobs when none is named."""
    from solosolve.local.job_plan import load_bundle
    from solosolve.local.plan_json import plan_as_data

    root = bundle_root()
    loaded = load_bundle(root, target, variables=pairs("--var", variables))
    data = plan_as_data(loaded.plan(jobs or tuple(sorted(loaded.jobs)), pairs("--param", params)), root)
    if fmt == "json":
        print_line(json.dumps(data, indent=1), stderr=False)
        return
    for task in data:
        what = task.get("file") or task.get("entry_point") or task["kind"]
        print_line(f"{task['job']}.{task['task']}: {' '.join([what, *task.get('arguments', [])])}", stderr=False)


@bundle.command()
@click.option("--target", "targets", multiple=True, help="Bundle target; may be repeated; all when none is given.")
@var_option
def check(targets: tuple[str, ...], variables: tuple[str, ...]) -> None:
    """Check the bundle without a workspace; exit code 1 if anything is wrong with it."""
    from solosolve.local.checks.check import check_bundle

    root = bundle_root()
    checked, findings = check_bundle(root, targets, variables=pairs("--var", variables))
    for finding in findings:
        print_line(finding.describe(root), stderr=False)
    count = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"
    if findings:
        raise BundleError(f"{count} in {', '.join(checked)}")
    print_line(f"{count} in {', '.join(checked)}", stderr=False)


@bundle.command()
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.option("--target", default="local", show_default=True, help="Bundle target, or local.")
@var_option
def graph(jobs: tuple[str, ...], target: str, variables: tuple[str, ...]) -> None:
    """Draw jobs as a Mermaid flowchart; all jobs when none is named."""
    from solosolve.bundle import resolve_bundle
    from solosolve.local.graph import draw_jobs

    resolved = resolve_bundle(bundle_root(), target, variables=pairs("--var", variables))
    print_line(draw_jobs(resolved, jobs), stderr=False)
