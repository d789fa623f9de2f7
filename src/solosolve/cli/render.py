"""Prints query results: as a table for people, as CSV or JSON for programs."""

from __future__ import annotations

import json
from typing import IO, Any, Literal

import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from solosolve.errors import TableError
from solosolve.safe_csv import iterate_rows, to_json_value, write_csv

Format = Literal["table", "csv", "json"]

SHOWN_ROWS = 1_000
"""Maximum number of rows in a table for people; the other formats print all rows."""

_NARROWEST_TEXT = 16
_FRAME_PER_COLUMN = 3
_NULL = Text("null", style="dim")


def render(table: pa.Table, fmt: Format, console: Console) -> None:
    """Prints a query result.

    Args:
        table: The result.
        fmt: `table` fits the width of the console and shows at most `SHOWN_ROWS` rows. `csv` is RFC 4180, with null as
            an empty field and an apostrophe before text that a spreadsheet would read as a formula. `json` is one
            array with an object per row and unchanged values. Both write ISO 8601 dates and UTC instants.
        console: The console to print to.

    Raises:
        TableError: The format is `json` and two columns have the same name.
    """
    match fmt:
        case "table":
            _print_table(table, console)
        case "csv":
            write_csv(table, console.file)
        case "json":
            _write_json(table, console.file)


def _print_table(table: pa.Table, console: Console) -> None:
    shown = table.slice(0, SHOWN_ROWS)
    rows = [[_cell(value) for value in row] for row in iterate_rows(shown)]
    is_number = [_is_number(kind) for kind in table.schema.types]
    natural = [max(len(name), *(row[i].cell_len for row in rows), 1) for i, name in enumerate(table.column_names)]
    widths = _widths(table.column_names, natural, is_number, console.width)
    if widths is None:
        _print_records(table.column_names, rows, console)
    else:
        console.print(_grid(table.column_names, rows, is_number, widths))
    console.print(_count_line(table.num_rows), style="dim", highlight=False, soft_wrap=True)


def _widths(names: list[str], natural: list[int], is_number: list[bool], width: int) -> list[int] | None:
    """Distributes the width of the console over the columns, narrow ones first.

    Returns:
        Characters per column; None if the console is too narrow. Names and numbers are never cut, and of a text
        enough remains to recognise it.
    """
    least = [
        wanted if is_whole else min(wanted, max(len(name), _NARROWEST_TEXT))
        for name, wanted, is_whole in zip(names, natural, is_number, strict=True)
    ]
    spare = width - 1 - sum(least) - _FRAME_PER_COLUMN * len(names)
    if spare < 0:
        return None
    widths = list(least)
    by_want = sorted(range(len(names)), key=lambda index: natural[index] - least[index])
    for place, index in enumerate(by_want):
        extra = min(natural[index] - least[index], spare // (len(names) - place))
        widths[index] += extra
        spare -= extra
    return widths


def _grid(names: list[str], rows: list[list[Text]], is_number: list[bool], widths: list[int]) -> Table:
    grid = Table(header_style="bold")
    for name, is_right, width in zip(names, is_number, widths, strict=True):
        justify: Literal["left", "right"] = "right" if is_right else "left"
        grid.add_column(Text(name), justify=justify, width=width, no_wrap=True, overflow="ellipsis")
    for row in rows:
        grid.add_row(*row)
    return grid


def _print_records(names: list[str], rows: list[list[Text]], console: Console) -> None:
    """Prints one value per line, for results with more columns than fit next to each other."""
    label_width = max(len(name) for name in names)
    value_width = max(console.width - label_width - 2, _NARROWEST_TEXT)
    for number, row in enumerate(rows, start=1):
        console.rule(f"row {number:,}", align="left", style="dim")
        for name, value in zip(names, row, strict=True):
            value.truncate(value_width, overflow="ellipsis")
            label = Text(name.ljust(label_width + 2), style="bold")
            console.print(label + value, soft_wrap=True, highlight=False)


def _count_line(count: int) -> str:
    rows = "1 row" if count == 1 else f"{count:,} rows"
    if count <= SHOWN_ROWS:
        return rows
    return f"{rows}, the first {SHOWN_ROWS:,} shown; --format csv or json prints all"


def _cell(value: Any) -> Text:
    if value is None:
        return _NULL.copy()
    if isinstance(value, float):
        return Text(_short_float(value))
    plain = to_json_value(value)
    words = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    # Complaints contain newlines and may contain terminal escape sequences. 500 characters fill a wide terminal.
    return Text("".join(c if c.isprintable() else " " for c in words[:500]))


def _short_float(value: float) -> str:
    return f"{value:.6g}" if 0 < abs(value) < 1e-3 else repr(round(value, 6))


def _is_number(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal))


def _write_json(table: pa.Table, stream: IO[str]) -> None:
    names = table.column_names
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise TableError(
            f"JSON needs distinct column names, but {', '.join(repeated)} appears twice: rename columns with AS"
        )
    stream.write("[")
    separator = "\n"
    for row in iterate_rows(table):
        record = {name: to_json_value(value) for name, value in zip(names, row, strict=True)}
        stream.write(f"{separator}{json.dumps(record, ensure_ascii=False, allow_nan=False)}")
        separator = ",\n"
    stream.write("\n]\n")
