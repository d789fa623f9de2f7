"""The `solosolve deadletters` commands: list messages that could not be read, and replay corrected ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from solosolve.errors import SolosolveError, UsageError
from solosolve.names import IS_FEEDBACK_LETTER, REPLAY_SOURCE
from solosolve.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from solosolve.cli.render import Format

_ALL = f"""
select letter_id, failed_at, reason, value, p.source_position is not null as is_replayed
from bronze.dead_letters
left join (select source_position from gold.predictions where source = '{REPLAY_SOURCE}') p
    on letter_id = p.source_position
"""


@click.group()
def deadletters() -> None:
    """List messages that could not be read, and replay corrected ones."""


@deadletters.command(name="list")
@click.option("--replayed/--no-replayed", default=False, show_default=True, help="Include replayed letters.")
@click.option("--feedback", is_flag=True, help="List feedback events, which are corrected by sending them again.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Maximum number of letters; by default all, in a table the first 1,000.",
)
@click.option("--format", "fmt", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def list_letters(replayed: bool, feedback: bool, limit: int | None, fmt: Format) -> None:
    """List the requests that could not be read, newest first; `replay` accepts the output of --format json."""
    from rich.console import Console

    from solosolve.cli.render import render
    from solosolve.storage.store_reader import reader_of

    where = f"where {IS_FEEDBACK_LETTER}" if feedback else f"where not {IS_FEEDBACK_LETTER}"
    where += "" if replayed else " and p.source_position is null"
    order = "order by failed_at desc, letter_id" + (f" limit {limit}" if limit else "")
    found = reader_of(Settings.load()).query(f"{_ALL} {where} {order}")
    render(_with_text(found), fmt, Console())


@deadletters.command()
@click.argument("corrected", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--all", "is_all", is_flag=True, help="Replay all letters unchanged, for instance with a new limit.")
def replay(corrected: Path | None, is_all: bool) -> None:
    """Score corrected letters and add each to gold.predictions once.

    CORRECTED is a JSON array, as written by `list --format json`, or one object per line, with `letter_id` and the
    corrected message in `value`, as an object or as text.
    """
    from solosolve.cli.task import run_task
    from solosolve.flows import replay_dead_letters

    if (corrected is None) == (not is_all):
        raise UsageError("replay: needs either a file with corrected letters or --all")
    values = None if corrected is None else replay_dead_letters.read_corrected(corrected)
    result = run_task(
        "replay_dead_letters", "local", lambda spark, settings: replay_dead_letters.run(spark, settings, values)
    )
    if result.still_dead:
        letter, reason = next(iter(sorted(result.still_dead.items())))
        raise SolosolveError(
            f"{len(result.still_dead)} letters still cannot be read, {result.added} were replayed; {letter}: {reason}"
        )


def _with_text(letters: pa.Table) -> pa.Table:
    """The letters with their values as text; bytes that are not UTF-8 become a backslash, `x` and two digits."""
    import pyarrow as pa

    values = letters.column("value").to_pylist()
    texts = [None if value is None else value.decode("utf-8", "backslashreplace") for value in values]
    return letters.set_column(letters.column_names.index("value"), "value", pa.array(texts, pa.string()))
