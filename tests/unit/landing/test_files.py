from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.files import LandingFile, find_landing_files

HEADER = b"Date received,Product,Company,Complaint ID\n"


def test_find_landing_files_lists_the_files_of_a_folder_or_glob(tmp_path: Path) -> None:
    for name in ("b.CSV", "a.csv", ".hidden.csv", "_part.csv", "notes.txt", "c.csv.gz", "below/d.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(HEADER)
    (tmp_path / "folder.csv").mkdir()
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        for name in ("two.csv", "one.CSV", "__MACOSX/._one.csv", "readme.txt"):
            archive.writestr(name, HEADER)

    def found(source: Path) -> list[str]:
        return [str(file).removeprefix(f"{tmp_path}/") for file in find_landing_files(str(source))]

    assert found(tmp_path) == ["a.csv", "b.CSV", "c.csv.gz", "e.zip!one.CSV", "e.zip!two.csv"]
    assert found(tmp_path / "**" / "[ad].csv") == ["a.csv", "below/d.csv"]
    assert found(tmp_path / "notes.txt") == ["notes.txt"]


def test_find_landing_files_lists_a_broken_archive_as_itself(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(HEADER)
    (tmp_path / "b.zip").write_bytes(b"PK\3\4 cut")
    assert find_landing_files(str(tmp_path)) == [LandingFile(tmp_path / "a.csv"), LandingFile(tmp_path / "b.zip")]


@pytest.mark.parametrize("source", ["nowhere.csv", "no*.csv", "."])
def test_find_landing_files_refuses_a_source_without_files(tmp_path: Path, source: str) -> None:
    with pytest.raises(NotAComplaintFileError, match=r"no CSV found; give a CSV, \.gz or \.zip file"):
        find_landing_files(str(tmp_path / source))
