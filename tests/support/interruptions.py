"""Stops a flow between two of its writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

import pytest

from solosolve.names import QUARANTINE, Table
from solosolve.storage import feedback_events, landings
from solosolve.storage.staged_files import StagedFile
from solosolve.storage.tables import Tables


class CutOffError(Exception):
    """The flow was stopped."""


_WRITES = ((Tables, "append"), (Tables, "overwrite"), (feedback_events, "_insert"))


@contextmanager
def stopped_after(patch: pytest.MonkeyPatch, writes: int) -> Iterator[None]:
    """Within it, a flow fails right after it has written to that many tables."""
    place, text = count(1), "was stopped here"

    def stopping(write: Callable[..., None]) -> Callable[..., None]:
        def stopped(*arguments: object, **options: object) -> None:
            write(*arguments, **options)
            if next(place) == writes:
                raise CutOffError(text)

        return stopped

    # A stream raises an error of its own, with this one's text.
    with patch.context() as patched, pytest.raises(Exception, match=text):
        for owner, name in _WRITES:
            patched.setattr(owner, name, stopping(getattr(owner, name)))
        yield


@contextmanager
def cut_off_before_quarantine(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within it, a landing fails once its bronze rows are written."""
    adopt = landings.adopt

    def stop(tables: Tables, table: Table, files: Sequence[StagedFile]) -> None:
        if table == QUARANTINE:
            raise CutOffError
        adopt(tables, table, files)

    with patch.context() as patched, pytest.raises(CutOffError):
        patched.setattr(landings, "adopt", stop)
        yield
