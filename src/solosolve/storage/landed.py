"""What `bronze.landings` says of one landing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Landed:
    """A row of `bronze.landings`: one landed file, or batch of messages, and how many of its records went where.

    Attributes:
        source_file: The file or the topic.
        source_sha256: Digest of its content; of a batch, of its position in the topic.
        layout: Name of the layout of its fields.
        byte_count: Its size in bytes.
        record_count: Records that were read: those in bronze and those in quarantine.
        bronze_count: Records in bronze.
        quarantine_count: Records in quarantine.
        landed_at: When it was landed.
    """

    source_file: str
    source_sha256: str
    layout: str
    byte_count: int
    record_count: int
    bronze_count: int
    quarantine_count: int
    landed_at: datetime
