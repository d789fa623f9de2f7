"""Finds landing files, and lists what it skips and why."""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import dataclass
from glob import glob
from pathlib import Path, PurePosixPath
from typing import IO

from solosolve.errors import NotAComplaintFileError, one_line
from solosolve.landing.csv_records import legible
from solosolve.landing.packings import is_packed, open_unpacked, packing_of, seekable
from solosolve.landing.remote import RemotePath, is_url, matching
from solosolve.urls import as_path

_CONTENTS = (".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".parquet")
_SUFFIXES = (*_CONTENTS, ".gz", ".bz2", ".xz", ".zst", ".zip")


@dataclass(frozen=True)
class LandingFile:
    """A file on disk or in a store, plain or packed, or a member of a zip archive.

    Attributes:
        path: Where it is; every machine that runs tasks reads it there.
        name: The name used in messages and tables: the path and, for a member, its name; always legible.
        member: The member's place in the archive's directory, None if the file is not a member.
    """

    path: Path | RemotePath
    name: str
    member: int | None = None

    @classmethod
    def of(cls, path: Path | RemotePath) -> LandingFile:
        """The file at a path."""
        return cls(path, legible(str(path)))

    def __str__(self) -> str:
        return self.name

    def is_packed(self) -> bool:
        """Whether its content can only be read from the beginning."""
        return self.member is not None or is_packed(self.path)

    def open(self) -> IO[bytes]:
        """Opens the unpacked content, as UTF-8 if it is UTF-16; what this raises depends on the packing."""
        return open_unpacked(self.path, self.member)


@dataclass(frozen=True)
class Found:
    """What a landing source holds.

    Attributes:
        files: The files to land, in order of name.
        skipped: What is not landed: name and reason.
    """

    files: tuple[LandingFile, ...]
    skipped: tuple[tuple[str, str], ...]


def find_landing_files(source: str) -> Found:
    """Lists the files of a landing source, in order of name.

    Args:
        source: A file, a folder or a glob, as a path or as the URL of a store (`s3a://`, `abfss://`, `gs://`,
            `hdfs://`). In a folder, the files with a known ending count, but not those in subfolders. In a zip
            archive, every such member counts; an archive that cannot be opened is listed itself, so that the error
            names it.

    Raises:
        NotAComplaintFileError: There are no such files, or they cannot be listed.
    """
    skipped: list[tuple[str, str]] = []
    place = as_path(source)
    found = _in_store(place, skipped) if is_url(place) else _on_disk(place, skipped)
    files = [file for path in found for file in _members(path, skipped)]
    if not files:
        not_landed = f" ({_listed(skipped)})" if skipped else ""
        raise NotAComplaintFileError(
            f"{source}: found no file to land{not_landed}; give a file, a folder or a glob of {', '.join(_SUFFIXES)}"
        )
    return Found(tuple(files), tuple(sorted(skipped)))


def _on_disk(source: str, skipped: list[tuple[str, str]]) -> list[Path]:
    path = Path(source)
    if path.is_dir():
        listed = [(found, found.is_file()) for found in path.iterdir()]
        return sorted(found for found, is_file in listed if _is_wanted(found.name, is_file, skipped))
    if path.is_file():
        return [path]
    return sorted(found for found in map(Path, glob(source, recursive=True)) if found.is_file())  # noqa: PTH207 - Path.glob refuses absolute patterns


def _in_store(source: str, skipped: list[tuple[str, str]]) -> list[RemotePath]:
    path = RemotePath(source)
    try:
        if path.is_dir():
            return sorted(found for found, is_file in path.iterdir() if _is_wanted(found.name, is_file, skipped))
        return [path] if path.is_file() else sorted(matching(source))
    except OSError as error:
        raise NotAComplaintFileError(f"{source}: cannot be listed ({one_line(error)})") from error


def _is_wanted(name: str, is_file: bool, skipped: list[tuple[str, str]]) -> bool:
    reason = _reason_to_skip(name, is_file=is_file)
    if reason is not None:
        skipped.append((legible(name), reason))
    return reason is None


def _listed(skipped: list[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in sorted(skipped)[:5])


def _reason_to_skip(name: str, *, is_file: bool, suffixes: tuple[str, ...] = _SUFFIXES) -> str | None:
    if not is_file:
        return "a folder; to land files of subfolders, give a glob such as 'folder/**/*.csv'"
    if name.startswith((".", "_")):
        return f"its name begins with '{name[0]}'"
    if not name.lower().endswith(suffixes):
        return f"it does not end in {', '.join(suffixes)}"
    return None


def _members(path: Path | RemotePath, skipped: list[tuple[str, str]]) -> list[LandingFile]:
    """The members of a zip archive that can be landed; otherwise the file itself."""
    file = LandingFile.of(path)
    try:
        if packing_of(path) != "zip":
            return [file]
        with zipfile.ZipFile(seekable(path)) as archive:
            members = archive.infolist()
    except Exception:  # noqa: BLE001 - a damaged archive can raise anything
        # Planning the file meets the same error, and reports it.
        return [file]
    chosen: list[tuple[str, LandingFile]] = []
    times: Counter[str] = Counter()
    for place, member in enumerate(members):
        if member.is_dir():
            continue
        name = legible(member.filename)
        reason = _reason_to_skip_member(name)
        if reason is not None:
            skipped.append((f"{file}!{name}", reason))
            continue
        times[name] += 1
        shown = name if times[name] == 1 else f"{name}#{times[name]}"
        chosen.append((shown, LandingFile(path, f"{file}!{shown}", place)))
    return [member for _, member in sorted(chosen, key=lambda each: each[0])] or [file]


def _reason_to_skip_member(name: str) -> str | None:
    path = PurePosixPath(name)
    if "__MACOSX" in path.parts:
        return "it is in __MACOSX"
    return _reason_to_skip(path.name, is_file=True, suffixes=_CONTENTS)
