"""How much memory hostile files take, each in a process of its own, since a process's peak never falls."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HEADER = b"Date received,Product,Company,Complaint ID\n"
SIZE = 120 << 20
LIMIT = 64 << 20
LINE = b"x" * 1_000 + b"\n"
PROGRAM = """
import json, sys
from pathlib import Path
from solosolve.errors import NotAComplaintFileError
from solosolve.landing.files import LandingFile
from solosolve.landing.planning import plan_landing, read_chunks

def peak():
    status = Path("/proc/self/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))

small, hostile = (LandingFile.of(Path(name)) for name in sys.argv[1:])
plan = plan_landing(small)
list(read_chunks(plan, plan.chunks))
before, found = peak(), {"refused": ""}
try:
    plan = plan_landing(hostile)
    found["plan"] = peak() - before
    found["rows"] = sum(len(batch) for batch in read_chunks(plan, plan.chunks))
except NotAComplaintFileError as error:
    found["refused"] = str(error)
    found["plan"] = peak() - before
found["read"] = peak() - before
print(json.dumps(found))
"""
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux keeps a process's peak")


def measured(folder: Path, start: bytes, repeated: bytes) -> dict[str, Any]:
    """Plans and reads a file of SIZE bytes; returns the bytes that either took beyond those of a small file."""
    (folder / "small.csv").write_bytes(HEADER + b"2016-01-01,Mortgage,Acme,1\n")
    with (folder / "hostile.csv").open("wb") as file:
        file.writelines(_pieces(start, repeated))
    command = [sys.executable, "-c", PROGRAM, str(folder / "small.csv"), str(folder / "hostile.csv")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _pieces(start: bytes, repeated: bytes) -> Iterator[bytes]:
    yield start
    block = repeated * ((1 << 20) // len(repeated))
    for _ in range(SIZE // len(block)):
        yield block


@pytest.mark.parametrize(
    ("start", "repeated"),
    [(HEADER, b"x"), (HEADER, b'"'), (HEADER + b'2016-01-01,"', b"x"), (HEADER + b'2016-01-01,"', LINE)],
    ids=["line", "quotes", "open_quote", "open_quote_over_lines"],
)
def test_endless_content_takes_bounded_memory(tmp_path: Path, start: bytes, repeated: bytes) -> None:
    found = measured(tmp_path, start, repeated)
    assert found["rows"] >= SIZE >> 20
    assert max(found["plan"], found["read"]) < LIMIT, found


@pytest.mark.parametrize("start", [b"", b'"', HEADER[:-1]], ids=["text", "open_quote", "columns"])
def test_endless_header_is_refused_in_bounded_memory(tmp_path: Path, start: bytes) -> None:
    found = measured(tmp_path, start, b",column")
    assert "not a complaint file: its first line is longer than 1,048,576 bytes" in found["refused"]
    assert found["read"] < LIMIT, found
