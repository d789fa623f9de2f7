"""The `solosolve deadletters` commands: what could not be read, and mended ones put back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from solosolve.errors import SolosolveError, UsageError
from solosolve.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from solosolve.cli.render import Format

_ALL = """
select letter_id, failed_at, reason, value, p.source_position is not null as is_replayed
from bronze.dead_letters
left join (select source_position from gold.predictions where source = 'replay') p on letter_id = p.source_position
"""


@click.group()
def deadletters() -> None:
    """See the messages that could not be read, and put mended ones back."""


@deadletters.command(name="list")
@click.option("--replayed/--no-replayed", default=False, show_default=True, help="Those that have been put back, too.")
@click.option("--limit", type=click.IntRange(min=1), help="Letters at most; without it all, a thousand in a table.")
@click.option("--format", "fmt", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def list_letters(replayed: bool, limit: int | None, fmt: Format) -> None:
    """List the dead letters, newest first; with --format json in the form that replay takes."""
    from rich.console import Console

    from solosolve.cli.render import render
    from solosolve.storage.delta_reader import DeltaReader

    where = "" if replayed else "where p.source_position is null"
    order = "order by failed_at desc, letter_id" + (f" limit {limit}" if limit else "")
    found = DeltaReader(Settings.load().warehouse).query(f"{_ALL} {where} {order}")
    render(_with_text(found), fmt, Console())


@deadletters.command()
@click.argument("mended", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--all", "is_all", is_flag=True, help="All letters as they are: after the reader or a limit has changed.")
def replay(mended: Path | None, is_all: bool) -> None:
    """Score mended letters and add each to gold.predictions, once.

    MENDED is a JSON array, as `list --format json` writes it, or one object a line: `letter_id`, and as `value` the
    mended message, an object or its text.
    """
    from solosolve.cli.task import run_task
    from solosolve.flows import replay_dead_letters

    if (mended is None) == (not is_all):
        raise UsageError("replay: takes a file with mended letters, or --all")
    values = None if mended is None else read_mended(mended)
    result = run_task(
        "replay_dead_letters", "local", lambda spark, settings: replay_dead_letters.run(spark, settings, values)
    )
    if result.still_dead:
        letter, reason = next(iter(sorted(result.still_dead.items())))
        raise SolosolveError(
            f"{len(result.still_dead)} letters still cannot be read, {result.added} were put back; {letter}: {reason}"
        )


def read_mended(path: Path) -> dict[str, bytes]:
    """Reads mended letters.

    Args:
        path: A JSON array, or one object a line.

    Returns:
        Letter id to message.

    Raises:
        UsageError: The file is not that; the message has the place.
    """
    try:
        text = path.read_text(encoding="utf-8")
        is_array = text.lstrip().startswith("[")
        entries = json.loads(text) if is_array else [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is no JSON array and no JSON lines ({error})") from None
    mended: dict[str, bytes] = {}
    for number, entry in enumerate(entries, start=1):
        letter, value = _entry(entry, f"{path}, letter {number}")
        if letter in mended:
            raise UsageError(f"{path}, letter {number}: {letter} is there twice")
        mended[letter] = value
    return mended


def _with_text(letters: pa.Table) -> pa.Table:
    """The letters with their values as text, bytes that are none written as a backslash, `x` and two digits."""
    import pyarrow as pa

    values = letters.column("value").to_pylist()
    texts = [None if value is None else value.decode("utf-8", "backslashreplace") for value in values]
    return letters.set_column(letters.column_names.index("value"), "value", pa.array(texts, pa.string()))


def _entry(entry: Any, place: str) -> tuple[str, bytes]:
    if not isinstance(entry, dict) or not isinstance(entry.get("letter_id"), str) or "value" not in entry:
        raise UsageError(f"{place}: found {json.dumps(entry)[:80]}, expected an object with letter_id and value")
    value = entry["value"]
    try:
        return entry["letter_id"], (value if isinstance(value, str) else json.dumps(value)).encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{place}: the value is no text ({error})") from None
