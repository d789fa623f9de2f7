from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from solosolve.landing.boundaries import DEFAULT_LIMITS
from solosolve.landing.csv_layout import Layout
from solosolve.landing.cutting import BEFORE_HEADER, Chunk
from solosolve.landing.files import LandingFile
from solosolve.landing.landing_plan import Kind, LandingPlan
from solosolve.landing.parts import Part, divide, read_part
from solosolve.landing.planning import plan_landing

LAYOUT = Layout(())
SMALLEST, LARGEST = 100, 500


def planned(*sizes: int, is_packed: bool = False) -> LandingPlan:
    """The plan of a file with chunks of these sizes."""
    offsets = [sum(sizes[:place]) for place in range(len(sizes))]
    chunks = tuple(Chunk(offset, size, 0, 0, LAYOUT) for offset, size in zip(offsets, sizes, strict=True))
    file = LandingFile.of(Path("a.csv"))
    return LandingPlan(file, Kind.CSV, is_packed, LAYOUT, (), "digest", sum(sizes), chunks, DEFAULT_LIMITS)


def sizes_of(tasks: Sequence[Sequence[Part]]) -> list[list[int]]:
    """The sizes of the parts of each task."""
    return [[part.size for part in parts] for parts in tasks]


@pytest.mark.parametrize("parallelism", [1, 2, 50])
@pytest.mark.parametrize("counts", [(0,), (1,), (200,), (30, 0, 200, 2, 2, 90)])
def test_divide_gives_each_chunk_and_the_asides_of_each_file_to_one_task(
    counts: tuple[int, ...], parallelism: int
) -> None:
    plans = [planned(*[20] * count) for count in counts]
    tasks = divide(plans, parallelism, SMALLEST, LARGEST)
    parts = [part for parts in tasks for part in parts]
    for plan in plans:
        own = [part for part in parts if part.plan is plan]
        assert tuple(chunk for part in own for chunk in part.chunks) == plan.chunks
        assert [part.has_asides for part in own] == [True] + [False] * (len(own) - 1)
    assert max(map(sum, sizes_of(tasks))) <= LARGEST


@pytest.mark.parametrize(
    ("parallelism", "expected"), [(1, [500, 500]), (2, [250] * 4), (3, [160] * 6 + [40]), (50, [100] * 10)]
)
def test_divide_makes_two_tasks_for_each_that_runs_at_the_same_time(parallelism: int, expected: list[int]) -> None:
    tasks = divide([planned(*[10] * 100)], parallelism, SMALLEST, LARGEST)
    assert sizes_of(tasks) == [[size] for size in expected]


def test_divide_puts_small_files_into_one_task() -> None:
    tasks = divide([planned(20), planned(30), planned(20, 20), planned(20)], 2, SMALLEST, LARGEST)
    assert sizes_of(tasks) == [[20, 30, 40], [20]]


def test_divide_leaves_a_packed_file_whole() -> None:
    packed = planned(*[20] * 200, is_packed=True)
    tasks = divide([planned(20), packed, planned(20)], 2, SMALLEST, LARGEST)
    assert sizes_of(tasks) == [[20], [4_000], [20]]
    assert tasks[1] == [Part(packed, packed.chunks, has_asides=True)]


def test_read_part_reads_the_asides_of_the_file_only_if_the_part_has_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Export\nDate received,Product,Company,Complaint ID\n3/1/16,Mortgage,Acme,1\n")
    plan = plan_landing(LandingFile.of(tmp_path / "a.csv"))
    actual = {
        has_asides: [
            (row["_source_line"], row["_reason"])
            for batch in read_part(Part(plan, plan.chunks, has_asides))
            for row in batch.to_pylist()
        ]
        for has_asides in (True, False)
    }
    assert actual == {True: [(1, BEFORE_HEADER), (3, None)], False: [(3, None)]}
