"""Divides planned files into parts of similar size, which Spark's tasks read side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from solosolve.landing.cutting import Chunk
from solosolve.landing.landing_plan import LandingPlan
from solosolve.landing.planning import read_asides, read_chunks

_SMALLEST, _LARGEST = 8 << 20, 128 << 20
"""Bounds of the bytes that one task reads."""


@dataclass(frozen=True)
class Part:
    """Consecutive chunks of a planned file.

    Attributes:
        plan: The plan of the file.
        chunks: The chunks, in order.
        has_asides: Whether the file's asides are read with them.
    """

    plan: LandingPlan
    chunks: tuple[Chunk, ...]
    has_asides: bool

    @property
    def size(self) -> int:
        """The size of the chunks in bytes."""
        return sum(chunk.size for chunk in self.chunks)


def divide(
    plans: Sequence[LandingPlan], parallelism: int, smallest: int = _SMALLEST, largest: int = _LARGEST
) -> list[list[Part]]:
    """Divides files among tasks; a packed file is in one task, since it can only be read from its beginning.

    Args:
        plans: The planned files.
        parallelism: How many tasks run at the same time; each gets about two, as far as their size allows.
        smallest: Minimum size of a task in bytes; the last one may be smaller.
        largest: Maximum size of a task in bytes; a single chunk or a packed file may be larger.

    Returns:
        The parts that each task reads. Together they have every chunk and every file's asides once.
    """
    task_bytes = min(max(sum(plan.byte_count for plan in plans) // (2 * parallelism), smallest), largest)
    tasks: list[list[Part]] = [[]]
    room = task_bytes
    for plan in plans:
        for part in _parts(plan, task_bytes):
            if tasks[-1] and part.size > room:
                tasks.append([])
                room = task_bytes
            tasks[-1].append(part)
            room -= part.size
    return tasks


def read_part(part: Part) -> Iterator[pa.RecordBatch]:
    """Parses a part to PARSED_COLUMNS.

    Raises:
        OSError: The file has changed since it was planned.
    """
    if part.has_asides:
        yield from read_asides(part.plan)
    yield from read_chunks(part.plan, part.chunks)


def _parts(plan: LandingPlan, task_bytes: int) -> Iterator[Part]:
    if plan.is_packed:
        yield Part(plan, plan.chunks, has_asides=True)
        return
    chunks: list[Chunk] = []
    size, has_asides = 0, True
    for chunk in plan.chunks:
        if chunks and size + chunk.size > task_bytes:
            yield Part(plan, tuple(chunks), has_asides)
            chunks, size, has_asides = [], 0, False
        chunks.append(chunk)
        size += chunk.size
    yield Part(plan, tuple(chunks), has_asides)
