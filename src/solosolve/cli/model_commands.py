"""The `solosolve model` commands: versions, champions over time, rollback, and where a prediction comes from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from solosolve.cli.console import console, print_line
from solosolve.settings import Settings

if TYPE_CHECKING:
    from solosolve.cli.render import Format
    from solosolve.storage.model_history import ModelHistory

_format = click.option(
    "--format", "fmt", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True
)
_SHOWN = 12
"""Contributions that are listed one by one; the rest is summed up."""

_reason = click.option("--reason", required=True, help="Why; the ledger keeps it.")


@click.group()
def model() -> None:
    """Versions of the model: which is champion, since when and why; promote and roll back."""


@model.command(name="list")
@_format
def list_versions(fmt: Format) -> None:
    """List all versions, the newest first."""
    from solosolve.cli.render import render

    render(_history().versions(), fmt, console(stderr=False))


@model.command()
@click.argument("version", type=click.IntRange(min=1))
@_format
def show(version: int, fmt: Format) -> None:
    """Show everything the ledger knows of a version."""
    from solosolve.cli.render import render

    render(_history().events_of(version), fmt, console(stderr=False))


@model.command()
@click.option("--at", type=click.DateTime(), help="An instant in UTC, such as 2026-11-28T12:00:00; now by default.")
def champion(at: datetime | None) -> None:
    """Say which version is, or was, champion."""
    instant = datetime.now(UTC) if at is None else at.replace(tzinfo=UTC)
    found = _history().champion_at(instant)
    print_line(f"{found.version} since {found.since:%Y-%m-%d %H:%M:%S} UTC, by {found.actor}: {found.event}")


@model.command()
@click.argument("one", type=click.IntRange(min=1))
@click.argument("other", type=click.IntRange(min=1))
@_format
def compare(one: int, other: int, fmt: Format) -> None:
    """Compare the metrics of two versions on their test splits."""
    from solosolve.cli.render import render

    render(_history().compare(one, other), fmt, console(stderr=False))


@model.command()
@click.argument("version", type=click.IntRange(min=1))
@_reason
def promote(version: int, reason: str) -> None:
    """Make a version champion without a validation."""
    _move(version, reason)


@model.command()
@_reason
def rollback(reason: str) -> None:
    """Go back to the champion before the present one; a running stream takes it up before its next batch."""
    _move(None, reason)


@model.command()
@click.argument("complaint_id", type=int)
def explain(complaint_id: int) -> None:
    """Show the passport of a complaint's newest prediction: where it came from, and what moved it."""
    import math

    from solosolve.storage.delta_reader import DeltaReader
    from solosolve.storage.model_explainer import ModelExplainer
    from solosolve.storage.passport import passport_of

    settings = Settings.load()
    passport = passport_of(DeltaReader(settings.warehouse), ModelExplainer(settings), complaint_id)
    lines = list(passport.facts)
    if passport.explanation is not None:
        effects = passport.explanation.effects
        lines.append(("contribution of the average", f"{passport.explanation.base:+.4f}"))
        lines += [(f"contribution of {effect.name}", f"{effect.log_odds:+.4f}") for effect in effects[:_SHOWN]]
        rest = effects[_SHOWN:]
        lines.append((f"contribution of {len(rest)} others", f"{math.fsum(effect.log_odds for effect in rest):+.4f}"))
        lines.append(("sum (log-odds)", f"{passport.explanation.log_odds:+.4f}"))
    lines.append(("scored again", passport.scored_again))
    for name, value in lines:
        print_line(f"{name:<28} {value}")


def _move(version: int | None, reason: str) -> None:
    from solosolve.cli.task import run_task
    from solosolve.flows import move_champion

    run_task(
        "move_champion",
        "local",
        lambda spark, settings: move_champion.run(spark, settings, version, reason),
        lock=move_champion.LOCK,
    )


def _history() -> ModelHistory:
    from solosolve.storage.delta_reader import DeltaReader
    from solosolve.storage.model_history import ModelHistory

    return ModelHistory(DeltaReader(Settings.load().warehouse))
