"""Rows that a stream has not read, counted from the log of real tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from solosolve.names import REQUESTS
from solosolve.storage.delta_log import commit_file
from solosolve.storage.waiting_rows import WaitingRows
from support.warehouses import append, folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Commits 0, 1 and 2 with three, two and one requests."""
    for count in (3, 2, 1):
        append(tmp_path, REQUESTS, [{"complaint_id": number} for number in range(count)])
    return folder(tmp_path, REQUESTS)


@pytest.mark.parametrize(("version", "waiting"), [(0, 6), (1, 3), (2, 1), (3, 0), (4, 0)])
def test_rows_of_the_commits_from_a_version_on_wait(table: Path, version: int, waiting: int) -> None:
    assert WaitingRows(table, "").from_position(version, -1) == waiting


def test_rows_of_the_files_that_a_stream_has_read_do_not_wait(table: Path) -> None:
    log = commit_file(table, 1)
    (added,) = [line for line in log.read_text().splitlines() if '"add"' in line]
    other = added.replace('numRecords\\":2', 'numRecords\\":40')
    log.write_text(f"{log.read_text()}\n{other}")
    assert [WaitingRows(table, "").from_position(1, index) for index in (-1, 0, 1)] == [43, 41, 1]


def test_compaction_and_kept_requests_do_not_wait(tmp_path: Path, table: Path) -> None:
    rows = WaitingRows(table, "kept")
    DeltaTable(table).optimize.compact()
    assert rows.from_position(1, -1) == 3
    kept = DeltaTable(table).to_pyarrow_table()
    write_deltalake(table, kept, mode="append", commit_properties=CommitProperties(custom_metadata={"a": "b"}))
    assert rows.from_position(1, -1) == 9
    newest = commit_file(table, DeltaTable(table).version())
    actions = [json.loads(line) for line in newest.read_text().splitlines()]
    for action in actions:
        action.get("commitInfo", {}).update(userMetadata="kept")
    newest.write_text("\n".join(map(json.dumps, actions)))
    assert WaitingRows(table, "kept").from_position(1, -1) == 3
    append(tmp_path, REQUESTS, [{"complaint_id": 9}])
    assert rows.from_position(DeltaTable(table).version(), -1) == 1


def test_merge_of_kept_requests_does_not_wait_although_it_changes_rows(table: Path) -> None:
    replayed = DeltaTable(table).to_pyarrow_table().slice(0, 1)
    kept = CommitProperties(custom_metadata={"userMetadata": "kept"})
    merge = DeltaTable(table).merge(
        replayed, "old.complaint_id = new.complaint_id", source_alias="new", target_alias="old", commit_properties=kept
    )
    merge.when_matched_update_all().execute()
    assert WaitingRows(table, "").from_position(1, -1) is None
    assert WaitingRows(table, "kept").from_position(1, -1) == 3


def test_count_is_unknown_while_a_commit_that_removed_rows_is_unread(tmp_path: Path, table: Path) -> None:
    rows = WaitingRows(table, "")
    DeltaTable(table).delete("complaint_id = 0")
    assert rows.from_position(1, -1) is None
    append(tmp_path, REQUESTS, [{"complaint_id": 9}])
    assert rows.from_position(4, -1) == 1


def test_count_is_unknown_without_statistics(table: Path) -> None:
    log = commit_file(table, 1)
    log.write_text(log.read_text().replace("numRecords", "someRecords"))
    assert WaitingRows(table, "").from_position(0, -1) is None
    assert WaitingRows(table, "").from_position(2, -1) == 1
