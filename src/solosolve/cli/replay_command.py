"""The `solosolve replay` command: generated months through the real jobs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from solosolve.cli.bundle_commands import bundle_root
from solosolve.cli.console import console, print_line
from solosolve.errors import UsageError
from solosolve.settings import Settings

if TYPE_CHECKING:
    from solosolve.local.replay import ReplayedMonth


_LINES = ("champion", "oracle", "without_loop")


@click.command()
@click.option("--months", type=click.IntRange(min=1), default=12, show_default=True, help="Months to live through.")
@click.option(
    "--change",
    type=click.Choice(["none", "concept", "inputs", "labels"]),
    multiple=True,
    default=("none",),
    show_default=True,
    help="How the world changes: not at all; what texts mean; who complains of what; what is reported. Repeatable.",
)
@click.option(
    "--at",
    type=click.IntRange(min=1),
    multiple=True,
    default=(4,),
    show_default=True,
    help="The month in which it changes; once for each change, in the same order.",
)
@click.option(
    "--feedback-share",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Share of outcomes that are reported.",
)
@click.option(
    "--delay", type=click.IntRange(min=0), default=20, show_default=True, help="Days from a complaint to the report."
)
@click.option("--loop", type=click.Choice(["on", "off"]), default="on", show_default=True)
@click.option("--complaints", type=click.IntRange(min=100), default=2_000, show_default=True, help="Per month.")
@click.option(
    "--history", type=click.IntRange(min=1), default=6, show_default=True, help="Months with outcomes before."
)
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True)
@click.option("--format", "fmt", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Also draw the AUC by month.")
def replay(
    months: int, change: tuple[str, ...], at: tuple[int, ...], feedback_share: float, delay: int, loop: str,
    complaints: int, history: int, seed: int, fmt: str, picture: Path | None,
) -> None:  # fmt: skip
    """Replay generated months through landing, scoring, feedback, monitor and retraining, with a virtual clock.

    Everything happens in a home of its own, SOLOSOLVE_HOME/replay, which is replaced.
    """
    from solosolve.local.doctor import require_java
    from solosolve.local.replay import Replay
    from solosolve.local.replay_world import World
    from solosolve.logs import set_up_logging
    from solosolve.samples.months import Change
    from solosolve.storage.spark import stop_session

    if len(change) != len(at):
        raise UsageError(f"--at: found {len(at)} months for {len(change)} changes: give one for each")
    changes = {Change(name): month for name, month in zip(change, at, strict=True) if name != "none"}
    require_java()
    home = Settings.load().home / "replay"
    shutil.rmtree(home, ignore_errors=True)
    world = World(home / "landing", seed, complaints, changes, feedback_share, delay, history)
    progress = console()
    set_up_logging(home / "logs", progress)
    done: list[ReplayedMonth] = []
    try:
        for month in Replay(world, bundle_root(), home, progress, is_loop_on=loop == "on").run(months):
            done.append(month)
    finally:
        stop_session()
        if done and fmt == "json":
            print_line(json.dumps([each.as_data() for each in done], indent=1), stderr=False)
        elif done:
            _print_table(done)
        if done and picture is not None:
            from solosolve.model.plots import replay_plot

            lines = {name: [getattr(each, f"auc_{name}") for each in done] for name in _LINES}
            replay_plot(lines, [each.month for each in done if each.promoted]).savefig(picture)


def _print_table(months: Sequence[ReplayedMonth]) -> None:
    from rich.table import Table

    names = ("month", "complaints", "labels", "champion", "oracle", "without loop", "alarms", "trained", "promoted")
    table = Table(*names, "why")
    for each in months:
        aucs = (each.auc_champion, each.auc_oracle, each.auc_without_loop)
        table.add_row(
            str(each.month), f"{each.complaints:,}", f"{each.labels:,}", *(f"{auc:.3f}" for auc in aucs),
            ", ".join(each.alarms), "yes" if each.retrained else "", str(each.promoted or ""), "; ".join(each.reasons),
        )  # fmt: skip
    console(stderr=False).print(table)
