"""Mutated files, read by the project and by an independent strict reading: nothing lost, nothing invented."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import random
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.boundaries import Limits
from solosolve.landing.csv_files import CUT
from solosolve.landing.csv_records import BROKEN_QUOTES, HAS_NUL, MAX_FIELD_CHARACTERS, NOT_UTF8
from solosolve.landing.cutting import BEFORE_HEADER, REPEATED_HEADER
from solosolve.landing.files import find_landing_files
from solosolve.landing.landing_plan import LandingPlan
from solosolve.landing.planning import plan_landing, read_asides, read_chunks
from solosolve.names import COMPLAINT_COLUMNS
from support.builders import OFFICIAL_HEADER, record
from support.drills import LONG
from support.strict_oracle import line_end_at, record_at

FILES = 20_000 if LONG else 800
DELIMITERS = (",", ",", ",", ";", "\t", "|")
TEXTS = (
    *('They said "no",\nand hung up.', "plain", "", " N/A ", "\u00e9\U0001f600 \u00fcn\u00ef", 'a ""quoted"" b'),
    *(
        "a,b;c\td|e",
        "\r\n\r\n",
        "x" * 300,
        '"',
        "line one\rline two",
        "=1+1",
        "None",
        "\u2028",
        "Date received,Product",
    ),
)
PIECES = (
    b'"',
    b'""',
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xc3",
    b" ",
    b"1,2,3\n",
    b'"\n',
    b',"',
    b"\xef\xbb\xbf",
)
PACKINGS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    (".csv", bytes),
    (".csv", bytes),
    (".csv", bytes),
    (".csv.gz", gzip.compress),
    (".csv.bz2", bz2.compress),
    (".csv.xz", lzma.compress),
    (".csv.zst", lambda content: pa.Codec("zstd").compress(content, asbytes=True)),
    (".zip", lambda content: _zipped(content, zipfile.ZIP_DEFLATED)),
    (".zip", lambda content: _zipped(content, zipfile.ZIP_LZMA)),
)


def test_mutated_files_lose_nothing_and_invent_nothing(tmp_path: Path) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(FILES):
        chance = random.Random(seed)
        content, delimiter = _mutated(chance)
        suffix, pack = chance.choice(PACKINGS)
        encoding = chance.choice(("utf-8",) * 6 + ("utf-16", "utf-16-le"))
        packed = _damaged(pack(_encoded(content, encoding)), chance)
        path = tmp_path / f"{seed}{suffix}"
        path.write_bytes(packed)
        limits = Limits(chunk_bytes=chance.choice((97, 1_000, 1 << 20)), record_bytes=chance.choice((4_000, 16 << 20)))
        try:
            (file,) = find_landing_files(str(path)).files
            plan = plan_landing(file, limits)
            rows = _rows(plan)
        except NotAComplaintFileError as refused:
            assert str(refused).startswith(f"{path}")
            outcomes["refused"] += 1
            continue
        finally:
            path.unlink()
        is_whole = packed == pack(_encoded(content, encoding)) and encoding == "utf-8"
        if not is_whole:
            outcomes["read, damaged or in UTF-16"] += 1
            continue
        problem = _difference(content, rows, plan, delimiter, limits)
        assert problem is None, f"seed {seed}: {problem}"
        outcomes["read"] += 1
        outcomes["good records"] += sum(row["_reason"] is None for row in rows)
        outcomes["bad records"] += sum(row["_reason"] is not None for row in rows)
    print(dict(outcomes))  # noqa: T201 - figures for docs/landing.md
    assert outcomes["read"] > FILES / 4
    assert outcomes["good records"] > outcomes["read"]
    assert outcomes["bad records"] > FILES / 10


def _rows(plan: LandingPlan) -> list[dict[str, Any]]:
    batches = [*read_asides(plan), *read_chunks(plan, plan.chunks)]
    return sorted((row for batch in batches for row in batch.to_pylist()), key=lambda row: row["_source_line"])


def _difference(
    content: bytes, rows: list[dict[str, Any]], plan: LandingPlan, delimiter: str, limits: Limits
) -> str | None:
    """What is wrong with the rows; None if they are all of the content and nothing else."""
    text = content.decode("utf-8", "surrogateescape")
    starts = _line_starts(text)
    fields = plan.layout.fields
    place = 0
    for number, row in enumerate(rows):
        start = starts[row["_source_line"] - 1]
        between = text[place:start]
        if place == 0 and between.strip():
            # What is left before the first record is the header.
            between = between[len(_header(between, delimiter)) :] if _header(between, delimiter) else between
        if between.strip("\r\n"):
            return f"lost before row {number}: {between!r}"
        reason = row["_reason"]
        if reason is None:
            found = record_at(text, start, delimiter, MAX_FIELD_CHARACTERS)
            if found is None or not found.is_ended:
                return f"row {number} is not a whole record: {row}"
            if [row[name] for name in fields if name] != found.fields:
                return f"row {number} differs: {row}, expected {found.fields}"
            place = found.end
        else:
            place = start + len(row["_record"]) if _is_plain(row["_record"]) else _end_of(text, starts, rows, number)
            problem = _wrong_reason(row, text, start, delimiter, len(fields))
            if problem:
                return f"row {number}: {problem}: {row}"
    rest = text[place:]
    if not rows and _header(rest, delimiter):
        rest = rest[len(_header(rest, delimiter)) :]
    return f"lost at the end: {rest!r}" if rest.strip("\r\n") else None


def _wrong_reason(row: dict[str, Any], text: str, start: int, delimiter: str, width: int) -> str | None:
    reason, found = row["_reason"], record_at(text, start, delimiter, MAX_FIELD_CHARACTERS)
    if reason in (BEFORE_HEADER, REPEATED_HEADER):
        return None
    own = text[start : found.end] if found else ""
    if reason == BROKEN_QUOTES:
        return "its first record is well-formed" if found else None
    if found is None:
        return None if reason in (HAS_NUL, NOT_UTF8) else "it is malformed"
    if reason == NOT_UTF8:
        return None if _has_surrogates(own) else "it is UTF-8"
    if reason == HAS_NUL:
        return None if "\0" in own else "it has no NUL"
    if reason == CUT:
        return "a line end follows it" if found.is_ended else None
    return "it has the right number of fields" if len(found.fields) == width else None


def _end_of(text: str, starts: list[int], rows: list[dict[str, Any]], number: int) -> int:
    """Where bad text that was made legible ends: where the next row begins."""
    return starts[rows[number + 1]["_source_line"] - 1] if number + 1 < len(rows) else len(text)


def _header(text: str, delimiter: str) -> str:
    found = record_at(text, 0, delimiter, MAX_FIELD_CHARACTERS)
    return text[: found.end] if found else ""


def _is_plain(text: str) -> bool:
    return "\\x" not in text


def _has_surrogates(text: str) -> bool:
    return any(0xDC80 <= ord(character) <= 0xDCFF for character in text)


def _line_starts(text: str) -> list[int]:
    starts, place = [0], 0
    while place < len(text):
        size = line_end_at(text, place)
        place += size or 1
        if size:
            starts.append(place)
    return starts


def _mutated(chance: random.Random) -> tuple[bytes, str]:
    delimiter, line_end = chance.choice(DELIMITERS), chance.choice(("\n", "\n", "\r\n", "\r"))
    out = io.StringIO(newline="")
    quoting = chance.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerow(OFFICIAL_HEADER)
    for number in range(chance.randrange(1, 12)):
        values = record(
            complaint_id=str(number), consumer_complaint_narrative=chance.choice(TEXTS), tags=chance.choice(TEXTS)
        )
        writer.writerow([values[name] for name in COMPLAINT_COLUMNS])
    content = bytearray(out.getvalue().encode())
    body = content.index(line_end.encode()) + len(line_end)
    for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
        place = chance.randrange(body, len(content) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            content[place:place] = chance.choice(PIECES)
        elif kind == 1:
            del content[place : place + chance.choice((1, 1, 2, 40))]
        elif kind == 2 and place < len(content):
            content[place] = chance.choice((34, 44, 10, 13, 0, 255, 65))
        else:
            content[place:place] = content[body:place][-chance.randrange(1, 200) :]
    if chance.random() < 0.15:
        del content[chance.randrange(body, len(content) + 1) :]
    return bytes(content), delimiter


def _encoded(content: bytes, encoding: str) -> bytes:
    if encoding == "utf-8":
        return content
    try:
        return content.decode().encode(encoding)
    except UnicodeDecodeError:
        return content


def _damaged(packed: bytes, chance: random.Random) -> bytes:
    if chance.random() > 0.1 or packed[:2] == b"Da" or packed[:3] == b'"Da':
        return packed
    place = chance.randrange(len(packed))
    return (
        packed[:place]
        if chance.random() < 0.5
        else packed[:place] + bytes([chance.randrange(256)]) + packed[place + 1 :]
    )


def _zipped(content: bytes, method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("complaints.csv", content)
    return out.getvalue()
