"""The `solosolve live` command: the page with everything moving."""

from __future__ import annotations

import click

from solosolve.cli.console import console, logged_settings
from solosolve.names import DASHBOARD_PORT, DELTA_SOURCE, KAFKA_SOURCE, SourceName

# Commands import what they need when they run, as on the whole command line.


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the page.")
@click.option("--port", type=click.IntRange(1, 65535), default=DASHBOARD_PORT, show_default=True, help="Its port.")
@click.option(
    "--source",
    type=click.Choice([DELTA_SOURCE, KAFKA_SOURCE]),
    default=DELTA_SOURCE,
    show_default=True,
    help="Where complaints arrive.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, 200, min_open=True),
    default=10,
    show_default=True,
    help="Complaints a second.",
)
@click.option("--at-most", type=click.IntRange(min=1), default=100_000, show_default=True, help="Complaints in all.")
@click.option("--delay", type=click.FloatRange(min=0), default=60, show_default=True, help="Seconds to an outcome.")
@click.option(
    "--share", type=click.FloatRange(0, 1), default=0.9, show_default=True, help="Share of outcomes that are reported."
)
@click.option(
    "--loop-every",
    type=click.FloatRange(min=0),
    default=4,
    show_default=True,
    help="Minutes between the starts of two turns of the loop; 0 for no loop.",
)
@click.option("--shift", is_flag=True, help="Let the world change: narratives come to mean the opposite.")
@click.option("--shift-at", type=click.FloatRange(min=0), default=60, show_default=True, help="Seconds to the change.")
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True)
def live(
    host: str, port: int, source: SourceName, rate: float, at_most: int, delay: float, share: float, loop_every: float,
    shift: bool, shift_at: float, seed: int,
) -> None:  # fmt: skip
    """Serve the dashboard while made-up complaints and outcomes arrive, and the loop learns from them.

    For a home of sample data only: made-up complaints never arrive among real ones.
    """
    from solosolve.local.doctor import require_java
    from solosolve.local.live import LiveOptions, run_live
    from solosolve.local.live_world import LivePlan

    require_java()
    plan = LivePlan(rate, at_most, delay, share, shift_at if shift else None, seed)
    run_live(logged_settings(), LiveOptions(source, host, port, loop_every, plan), console())
