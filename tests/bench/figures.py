"""The table of figures that a run of the benches ends with."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.table import Table

HEADINGS = ("what", "figure", "peer in the same run", "ratio", "wanted")
_WIDTH = 160


@dataclass
class Figures:
    """The rows of the table, in the order in which they were measured."""

    rows: list[tuple[str, str, str, str, str]] = field(default_factory=list)

    def add(self, what: str, figure: str, peer: str = "", ratio: float | None = None, wanted: str = "") -> None:
        """Adds one row.

        Args:
            what: What was measured.
            figure: The result, with its unit.
            peer: What it is compared with, and that result.
            ratio: How the two compare, as `wanted` means it.
            wanted: The goal for the ratio, or for the figure if there is no peer.
        """
        self.rows.append((what, figure, peer, "" if ratio is None else f"{ratio:.2f}", wanted))

    def table(self) -> str:
        """The rows as plain text."""
        grid = Table(*HEADINGS, box=box.ASCII2, show_lines=False)
        for row in self.rows:
            grid.add_row(*row)
        text = io.StringIO()
        Console(file=text, width=_WIDTH, markup=False, highlight=False).print(grid)
        return text.getvalue().rstrip("\n")
