"""The sizes of tables, which cost a look at the whole log, or a statement."""

from __future__ import annotations

from collections.abc import Callable

from solosolve.errors import MissingTableError
from solosolve.names import Table
from solosolve.storage.reader import TableSize, TableVersion


class KnownSizes:
    """The sizes of tables, each measured once per commit."""

    def __init__(self) -> None:
        """Starts without any."""
        self._known: dict[Table, tuple[TableVersion, TableSize]] = {}

    def find(self, table: Table, version: TableVersion | None, measure: Callable[[Table], TableSize]) -> TableSize:
        """Returns a table's size.

        Args:
            table: The table.
            version: Its version; None if it does not exist.
            measure: Measures a table.

        Raises:
            MissingTableError: The table has not been made yet.
        """
        if version is None:
            raise MissingTableError(table)
        known = self._known.get(table)
        if known is None or known[0] != version:
            known = self._known[table] = version, measure(table)
        return known[1]
