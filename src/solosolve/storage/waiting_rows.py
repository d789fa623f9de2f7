"""How many rows of a local Delta table a stream has not read, counted from the table's log alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from solosolve.storage.delta_log import newest_commit, read_commit


@dataclass
class WaitingRows:
    """Counts the rows that commits added, from the `numRecords` of their files; reads each commit once.

    Attributes:
        table: The table's folder.
        ignored_note: The `userMetadata` of commits that do not count.
    """

    table: Path
    ignored_note: str
    _added: dict[int, Sequence[int] | None] = field(default_factory=dict)
    """For each commit, the rows of each file that it added; None if they cannot be counted."""

    def from_position(self, version: int, index: int) -> int | None:
        """Counts the rows from a position on.

        Args:
            version: The commit that a stream reads next, or is inside of.
            index: The last file of that commit that it has read; negative if it has read none.

        Returns:
            The number of rows. None if it is unknown: a file has no statistics, or a commit changed or removed rows.
        """
        self._added = {number: rows for number, rows in self._added.items() if number >= version}
        total = 0
        for number in range(version, newest_commit(self.table, version - 1) + 1):
            if number not in self._added:
                self._added[number] = self._read(number)
            rows = self._added[number]
            if rows is None:
                return None
            total += sum(rows[index + 1 :] if number == version and index >= 0 else rows)
        return total

    def _read(self, number: int) -> Sequence[int] | None:
        actions = read_commit(self.table, number)
        if actions is None:
            return None
        if any(action.get("commitInfo", {}).get("userMetadata") == self.ignored_note for action in actions):
            return ()
        if any("cdc" in action or action.get("remove", {}).get("dataChange") for action in actions):
            return None
        # A compaction adds files, but no rows.
        counts = [_row_count(action["add"]) for action in actions if action.get("add", {}).get("dataChange")]
        known = [count for count in counts if count is not None]
        return known if len(known) == len(counts) else None


def _row_count(added: dict[str, Any]) -> int | None:
    found = json.loads(added.get("stats") or "{}").get("numRecords")
    return None if found is None else int(found)
