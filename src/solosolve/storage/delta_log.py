"""The transaction log of a local Delta table (https://github.com/delta-io/delta/blob/master/PROTOCOL.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

_MAX_COMMITS = 1_000
"""Reading this many commits takes about as long as querying a large table in full."""


def commit_file(table: Path, number: int) -> Path:
    """The file of a table's commit."""
    return table / "_delta_log" / f"{number:020}.json"


def has_commits(table: Path) -> bool:
    """Whether a folder is a table.

    A log without commits belongs to a table that is being created, or whose creation was interrupted.
    """
    return any((table / "_delta_log").glob("[0-9]*"))


def newest_commit(table: Path, known: int) -> int:
    """The number of the newest commit, searched from one that is known to exist, without listing the log."""
    while commit_file(table, known + 1).is_file():
        known += 1
    return known


def read_commit(table: Path, number: int) -> list[dict[str, Any]] | None:
    """The actions of a commit; None if its file is gone or cannot be read."""
    try:
        text = commit_file(table, number).read_text(encoding="utf-8")
        # str.splitlines would also split at Unicode line breaks inside the statistics.
        return [json.loads(line) for line in text.split("\n") if line]
    except (OSError, ValueError):
        return None


@contextmanager
def only_added(table: Path, since: int, until: int, schema: str) -> Iterator[Path | None]:
    """Presents the rows that some commits added as a Delta table of its own.

    The table consists of a log with the commits' `add` actions and links to the data files.

    Args:
        table: The folder of a table without partitions.
        since: The last commit that is left out.
        until: The last commit that is included.
        schema: The table's schema as JSON, as its log has it.

    Returns:
        The folder of that table, deleted when the block ends. None if the commits also removed rows or changed the
        schema, if some of them no longer exist, or if there are too many.
    """
    added = _added(table, since, until) if until - since <= _MAX_COMMITS else None
    if added is None:
        yield None
        return
    with TemporaryDirectory(prefix="solosolve-added-") as folder:
        shown = Path(folder)
        log = commit_file(shown, 0)
        log.parent.mkdir()
        for action in added:
            # Paths in a log are URL-encoded.
            name = unquote(action["path"])
            (shown / name).symlink_to(table / name)
        actions = [*_head(schema), *({"add": action} for action in added)]
        log.write_text("\n".join(json.dumps(action) for action in actions), encoding="utf-8")
        yield shown


def _added(table: Path, since: int, until: int) -> list[dict[str, Any]] | None:
    added = []
    for number in range(since + 1, until + 1):
        actions = read_commit(table, number)
        if actions is None:
            return None
        for action in actions:
            if action.keys() & {"metaData", "protocol"} or action.get("remove", {}).get("dataChange"):
                return None
            # A compaction rewrites rows that were already there: it changes no data.
            if action.get("add", {}).get("dataChange"):
                added.append(action["add"])
    return added


def _head(schema: str) -> list[dict[str, Any]]:
    """The first actions in the log of a plain table."""
    return [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {
            "metaData": {
                "id": "added",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": schema,
                "partitionColumns": [],
                "configuration": {},
            }
        },
    ]
