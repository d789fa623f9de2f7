"""The commit files of a local Delta table (https://github.com/delta-io/delta/blob/master/PROTOCOL.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

_MOST_COMMITS = 1_000
"""Reading this many commits takes about as long as asking a large table anew."""


def commit_file(table: Path, number: int) -> Path:
    """The file of a table's commit."""
    return table / "_delta_log" / f"{number:020}.json"


def has_commits(table: Path) -> bool:
    """Whether a folder is a table; a log without a commit is what a creation leaves that goes on or was cut off."""
    return any((table / "_delta_log").glob("[0-9]*"))


def newest_commit(table: Path, known: int) -> int:
    """The number of the newest commit, from one on that is known to be there; the log is not listed."""
    while commit_file(table, known + 1).is_file():
        known += 1
    return known


@contextmanager
def only_added(table: Path, since: int, until: int, schema: str) -> Iterator[Path | None]:
    """Shows what commits added as a Delta table of its own: a log of their `add` actions, and links to their files.

    Args:
        table: The folder of a table that is not partitioned.
        since: The first of the commits is the one behind it.
        until: The last of the commits.
        schema: The table's, as its log's JSON has it.

    Returns:
        The folder of such a table, that goes when the block ends; None where the commits also took rows away, changed
        the schema, are no longer there, or are too many.
    """
    added = _added(table, since, until) if until - since <= _MOST_COMMITS else None
    if added is None:
        yield None
        return
    with TemporaryDirectory(prefix="solosolve-added-") as folder:
        shown = Path(folder)
        log = commit_file(shown, 0)
        log.parent.mkdir()
        for action in added:
            # A log's paths are URLs.
            name = unquote(action["path"])
            (shown / name).symlink_to(table / name)
        actions = [*_head(schema), *({"add": action} for action in added)]
        log.write_text("\n".join(json.dumps(action) for action in actions), encoding="utf-8")
        yield shown


def _added(table: Path, since: int, until: int) -> list[dict[str, Any]] | None:
    added = []
    for number in range(since + 1, until + 1):
        try:
            text = commit_file(table, number).read_text(encoding="utf-8")
            # Not at every line break that Unicode knows: a text in the statistics may hold one.
            actions = [json.loads(line) for line in text.split("\n") if line]
        except (OSError, ValueError):
            return None
        for action in actions:
            if action.keys() & {"metaData", "protocol"} or action.get("remove", {}).get("dataChange"):
                return None
            # A compaction writes anew what was there.
            if action.get("add", {}).get("dataChange"):
                added.append(action["add"])
    return added


def _head(schema: str) -> list[dict[str, Any]]:
    """The actions that begin the log of a plain table."""
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
