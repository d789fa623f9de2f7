from __future__ import annotations

import os
import warnings
import zipfile
from pathlib import Path

import pytest

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.files import LandingFile, find_landing_files

HEADER = b"Date received,Product,Company,Complaint ID\n"


def names(source: Path, folder: Path) -> list[str]:
    return [file.name.removeprefix(f"{folder}/") for file in find_landing_files(str(source)).files]


def test_find_landing_files_lists_the_files_of_a_folder_or_glob(tmp_path: Path) -> None:
    for name in ("b.CSV", "a.csv", ".hidden.csv", "_part.csv", "notes.doc", "c.csv.gz", "d.csv.bz2", "below/d.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(HEADER)
    (tmp_path / "folder.csv").mkdir()
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        for name in ("two.csv", "one.CSV", "__MACOSX/._one.csv", "data/._one.csv", "readme.md"):
            archive.writestr(name, HEADER)

    assert names(tmp_path, tmp_path) == ["a.csv", "b.CSV", "c.csv.gz", "d.csv.bz2", "e.zip!one.CSV", "e.zip!two.csv"]
    assert names(tmp_path / "**" / "[ad].csv", tmp_path) == ["a.csv", "below/d.csv"]
    assert names(tmp_path / "notes.doc", tmp_path) == ["notes.doc"]


def test_find_landing_files_names_what_it_passes_over(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for name in ("a.csv", ".hidden.csv", "_part.csv", "notes.doc"):
        (tmp_path / name).write_bytes(HEADER)
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        for name in ("one.csv", "__MACOSX/._one.csv", "data/._one.csv", "readme.md"):
            archive.writestr(name, HEADER)

    found = find_landing_files(str(tmp_path))
    passed = {name.removeprefix(f"{tmp_path}/"): reason for name, reason in found.skipped}
    contents = ".csv, .tsv, .tab, .txt, .json, .jsonl, .ndjson, .parquet"
    assert passed == {
        ".hidden.csv": "its name begins with '.'",
        "_part.csv": "its name begins with '_'",
        "below": "a folder; to land files of subfolders, give a glob such as 'folder/**/*.csv'",
        "e.zip!__MACOSX/._one.csv": "it is in __MACOSX",
        "e.zip!data/._one.csv": "its name begins with '.'",
        "e.zip!readme.md": f"it does not end in {contents}",
        "notes.doc": f"it does not end in {contents}, .gz, .bz2, .xz, .zst, .zip",
    }


def test_find_landing_files_lists_both_members_of_one_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for content in (b"first", b"second"):
            archive.writestr("c.csv", content)
    files = find_landing_files(str(tmp_path)).files
    assert [file.name.removeprefix(f"{tmp_path}/") for file in files] == ["a.zip!c.csv", "a.zip!c.csv#2"]
    assert [file.open().read() for file in files] == [b"first", b"second"]


def test_find_landing_files_shows_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.csv")).write_bytes(HEADER)
    (file,) = find_landing_files(str(tmp_path)).files
    assert file.name == f"{tmp_path}/caf\\xe9.csv"
    assert file.open().read() == HEADER


def test_find_landing_files_lists_a_broken_archive_as_itself(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(HEADER)
    (tmp_path / "b.zip").write_bytes(b"PK\3\4 cut")
    expected = (LandingFile.of(tmp_path / "a.csv"), LandingFile.of(tmp_path / "b.zip"))
    assert find_landing_files(str(tmp_path)).files == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.csv", "found no file to land; give a file, a folder or a glob of .csv, "),
        ("no*.csv", "found no file to land; "),
        (".", r"found no file to land \(a\.doc: it does not end in .*\); give"),
    ],
)
def test_find_landing_files_refuses_a_source_without_files(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "a.doc").touch()
    with pytest.raises(NotAComplaintFileError, match=message):
        find_landing_files(str(tmp_path / source))


def test_find_landing_files_refuses_a_url() -> None:
    with pytest.raises(NotAComplaintFileError, match="this is a URL; download the file first, then give its path"):
        find_landing_files("https://files.example.org/complaints.csv.zip")
