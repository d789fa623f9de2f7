"""Landing from the URL of a store, with a folder in place of the store."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

from solosolve.errors import NotAComplaintFileError
from solosolve.landing import remote
from solosolve.landing.files import LandingFile, find_landing_files
from solosolve.landing.planning import plan_landing, read_chunks
from solosolve.landing.remote import RemotePath

CSV = b"date_received,product,company,complaint_id\n2020-01-02,Mortgage,A,1\n2020-01-03,Mortgage,B,2\n"
BUCKET = "s3a://bucket"


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(remote, "_system", lambda _: (SubTreeFileSystem(str(tmp_path), LocalFileSystem()), "bucket"))
    folder = tmp_path / "bucket"
    folder.mkdir()
    return folder


def put(path: Path, content: bytes = CSV) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def names(source: str) -> list[str]:
    return [str(file) for file in find_landing_files(source).files]


def test_folder_of_a_store_is_listed_like_a_folder_on_disk(bucket: Path) -> None:
    for name in (
        "landing/b.csv",
        "landing/a.csv.gz",
        "landing/notes.pdf",
        "landing/_temporary.csv",
        "landing/old/c.csv",
    ):
        put(bucket / name)
    found = find_landing_files(f"{BUCKET}/landing")
    assert [str(file) for file in found.files] == [f"{BUCKET}/landing/a.csv.gz", f"{BUCKET}/landing/b.csv"]
    assert [name for name, _ in found.skipped] == ["_temporary.csv", "notes.pdf", "old"]
    assert names(f"{BUCKET}/landing/") == [str(file) for file in found.files]


def test_file_and_globs_of_a_store_are_found(bucket: Path) -> None:
    for name in ("a.csv", "x/a.csv", "x/y/b.csv", "x/y/c.json"):
        put(bucket / name)
    assert names(f"{BUCKET}/x/a.csv") == [f"{BUCKET}/x/a.csv"]
    assert names(f"{BUCKET}/x/*.csv") == [f"{BUCKET}/x/a.csv"]
    assert names(f"{BUCKET}/x/**/*.csv") == [f"{BUCKET}/x/a.csv", f"{BUCKET}/x/y/b.csv"]
    assert names(f"{BUCKET}/x/y/[!c].*") == [f"{BUCKET}/x/y/b.csv"]


@pytest.mark.parametrize("source", ["nothing", "nothing/*.csv", "nothing/a.csv"])
def test_store_without_such_files_is_refused(bucket: Path, source: str) -> None:
    with pytest.raises(NotAComplaintFileError, match=rf"^{BUCKET}/nothing\S*: found no file to land; "):
        find_landing_files(f"{BUCKET}/{source}")


def test_url_that_is_not_of_a_store_is_refused() -> None:
    with pytest.raises(NotAComplaintFileError, match=r"^https://x/y\.csv: this is a URL; download the file first, "):
        find_landing_files("https://x/y.csv")


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.csv", bytes), ("a.gz", gzip.compress), ("a.bz2", bz2.compress), ("a.xz", lzma.compress)],
)
def test_files_of_a_store_are_read_as_files_on_disk_are(bucket: Path, name: str, pack: type[bytes]) -> None:
    put(bucket / name, pack(CSV))
    plan = plan_landing(LandingFile.of(RemotePath(f"{BUCKET}/{name}")))
    on_disk = plan_landing(LandingFile.of(bucket / name))
    assert plan.sha256 == on_disk.sha256
    rows = pa.Table.from_batches(read_chunks(plan, plan.chunks))
    assert rows.column("complaint_id").to_pylist() == ["1", "2"]
    assert rows == pa.Table.from_batches(read_chunks(on_disk, on_disk.chunks))


def test_zip_members_and_parquet_of_a_store_are_read(bucket: Path) -> None:
    with zipfile.ZipFile(bucket / "a.zip", "w") as archive:
        archive.writestr("inner.csv", CSV)
    (file,) = find_landing_files(f"{BUCKET}/a.zip").files
    assert str(file) == f"{BUCKET}/a.zip!inner.csv"
    plan = plan_landing(file)
    assert sum(len(batch) for batch in read_chunks(plan, plan.chunks)) == 2
    pq.write_table(
        pa.table({"date_received": ["2020-01-02"], "complaint_id": ["1"], "company": ["A"], "product": ["Mortgage"]}),
        bucket / "a.parquet",
    )
    plan = plan_landing(LandingFile.of(RemotePath(f"{BUCKET}/a.parquet")))
    assert sum(len(batch) for batch in read_chunks(plan, plan.chunks)) == 1
