"""Feedback events from files, as messages of the feedback topic."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from solosolve.landing.feedback_files import read_feedback_file
from solosolve.landing.files import find_landing_files

logger = logging.getLogger(__name__)


def read_feedback_events(path: Path) -> Iterator[dict[str, Any]]:
    """Reads events as the topic's messages; events that are not valid are sent too, so that the flow refuses them.

    Unreadable records are skipped, and a warning says how many.

    Args:
        path: A CSV or a file of JSON lines, plain or packed, or a folder of them.

    Raises:
        NotAComplaintFileError: There is no file.
        NotAFeedbackFileError: A file has no events or cannot be read.
    """
    bad: list[str] = []
    try:
        for file in find_landing_files(str(path)).files:
            for record in read_feedback_file(file)[1]:
                try:
                    event = msgspec.json.decode(record.value) if record.reason is None else None
                except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                    bad.append(f"{file}, line {record.line}: {error}")
                    continue
                if isinstance(event, dict):
                    yield {name: value for name, value in event.items() if value != ""}
                else:
                    bad.append(f"{file}, line {record.line}: {record.reason or 'is not a JSON object'}")
    finally:
        if bad:
            logger.warning("skipped %d unreadable records, the first: %s", len(bad), bad[0])
