"""What a landing file contains, and how to read it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from solosolve.landing.boundaries import Limits
from solosolve.landing.csv_layout import Layout
from solosolve.landing.cutting import Aside, Chunk
from solosolve.landing.files import LandingFile


class Kind(StrEnum):
    """What a file's content is."""

    CSV = "CSV"
    JSON_LINES = "JSON lines"
    JSON = "JSON"
    PARQUET = "Parquet"


@dataclass(frozen=True)
class LandingPlan:
    """What a landing file contains and how to read it.

    Attributes:
        file: The file.
        kind: What its content is.
        is_packed: Whether its content can only be read from the beginning.
        layout: The meaning of its fields, by its first header; of JSON, by its first object.
        asides: The lines before its header and the headers that are repeated in it, as bad records.
        sha256: Hash of the unpacked content, so that a file and an archive of it count as the same content. If the
            last record has no line end and counts as complete, the hash includes one.
        byte_count: Size of the unpacked content.
        chunks: What follows the header, cut between records.
        limits: The sizes it was cut by.
    """

    file: LandingFile
    kind: Kind
    is_packed: bool
    layout: Layout
    asides: tuple[Aside, ...]
    sha256: str
    byte_count: int
    chunks: tuple[Chunk, ...]
    limits: Limits

    @property
    def layout_name(self) -> str:
        """The name of the layout in `bronze.landings`."""
        return self.layout.name if self.kind is Kind.CSV else f"{self.layout.name}, {self.kind}"
