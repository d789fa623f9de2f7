"""Which tables cannot be read, and since when: one banner tells it, and goes once they can be read again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from solosolve.clock import now
from solosolve.errors import TableError, UnreadableTablesError, one_line
from solosolve.names import Table
from solosolve.storage.reader import TableVersion

logger = logging.getLogger("solosolve.dashboard")

_NEW_SECONDS = 1
"""A failure that is older is not logged again as a warning."""


@dataclass
class _Failure:
    """A failure to read tables together: since when, in which versions, and which of them nothing has read since."""

    since: datetime
    versions: Mapping[Table, TableVersion] = field(default_factory=dict)
    not_read_since: set[Table] = field(default_factory=set)


class ReadFailures:
    """Remembers failures until the tables have been read again; only the log says why they could not be.

    The reason may name folders.
    """

    def __init__(self) -> None:
        """Starts without any."""
        self._failures: dict[tuple[Table, ...], _Failure] = {}
        self._lost: dict[Table, datetime] = {}
        self._lock = threading.Lock()

    @property
    def since(self) -> dict[tuple[Table, ...], datetime]:
        """Tables that could not be read together, and since when."""
        with self._lock:
            found = {tables: failure.since for tables, failure in self._failures.items()}
            return found | {(table,): since for table, since in self._lost.items()}

    def note_failure(
        self, tables: tuple[Table, ...], versions: Mapping[Table, TableVersion], error: TableError
    ) -> UnreadableTablesError:
        """Notes that tables could not be read together, and returns the error for the page.

        Args:
            tables: The tables.
            versions: Their versions, as far as they are known.
            error: Why.
        """
        with self._lock:
            failure = self._failures.setdefault(tables, _Failure(now()))
            failure.versions, failure.not_read_since = versions, set(tables)
        return _logged(tables, failure.since, error)

    def note_lost(self, table: Table, error: TableError) -> UnreadableTablesError:
        """Notes that not even a table's version could be read, and returns the error for the page."""
        with self._lock:
            since = self._lost.setdefault(table, now())
        return _logged((table,), since, error)

    def note_found(self, table: Table) -> None:
        """Notes that a table's version was read."""
        with self._lock:
            self._lost.pop(table, None)

    def note_read(self, tables: tuple[Table, ...]) -> None:
        """Notes that tables were read; a failure is over once all of its tables have been."""
        with self._lock:
            for failed, failure in list(self._failures.items()):
                failure.not_read_since -= set(tables)
                if not failure.not_read_since:
                    del self._failures[failed]

    def note_versions(self, versions: Mapping[Table, TableVersion]) -> None:
        """Notes tables as read that are again in a version that has been read, and not in the one that could not be."""
        with self._lock:
            failed = [failure.versions for failure in self._failures.values()]
        found = {table for each in failed for table in each if table in versions and each[table] != versions[table]}
        if found:
            self.note_read(tuple(found))


def _logged(tables: tuple[Table, ...], since: datetime, error: TableError) -> UnreadableTablesError:
    is_new = (now() - since).total_seconds() < _NEW_SECONDS
    names = " and ".join(map(str, tables))
    logger.log(logging.WARNING if is_new else logging.DEBUG, "cannot read %s: %s", names, one_line(error))
    return UnreadableTablesError(tables, since)
