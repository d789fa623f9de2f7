"""SQL over Delta tables in a store, which delta-rs opens by URL, and the choice of a reader without Spark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from deltalake import DeltaTable

from solosolve.names import MADE_BY, Table
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader, opened
from solosolve.storage.reader import Reader, TableVersion


@dataclass(frozen=True)
class StoreReader(DeltaReader):
    """Reads the Delta tables below a URL (`<url>/<layer>/<table>`).

    The store's own environment variables name endpoint and credentials (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`;
    https://docs.rs/object_store), as Spark's properties do for Spark.
    """

    locations: Mapping[Table, str] = field(kw_only=True)

    def version(self, table: Table) -> TableVersion | None:
        """The table's newest commit; None if it does not exist."""
        if not self._exists(table):
            return None
        found = opened(self._location(table))
        return TableVersion(str(found.metadata().id), found.version())

    @contextmanager
    def added(self, table: Table, since: TableVersion, until: TableVersion) -> Iterator[Reader | None]:
        """None: the rows that commits added cannot be read alone, as they can on a disk."""
        yield None

    def _exists(self, table: Table) -> bool:
        return bool(DeltaTable.is_deltatable(self._location(table)))

    def _location(self, table: Table) -> str:
        return self.locations[table]


def reader_of(settings: Settings) -> DeltaReader:
    """The reader of the tables of the local target, wherever they are."""
    if settings.warehouse_url is None:
        return DeltaReader(settings.warehouse)
    return StoreReader(settings.warehouse, locations={table: settings.table_location(table) for table in MADE_BY})
