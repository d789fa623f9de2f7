"""Stops a flow between two of its writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

import pytest

from solosolve.names import QUARANTINE, Table
from solosolve.storage import feedback_events, landings
from solosolve.storage.registry import Registry
from solosolve.storage.staged_files import StagedFile
from solosolve.storage.tables import Tables


class CutOffError(Exception):
    """The flow was stopped."""


_TO_TABLES = ((Tables, "append"), (Tables, "overwrite"), (feedback_events, "_insert"))
_TO_THE_REGISTRY = tuple((Registry, name) for name in ("set_alias", "delete_alias", "set_model_tag", "write_tags"))


@contextmanager
def stopped_after(patch: pytest.MonkeyPatch, writes: int) -> Iterator[None]:
    """Within it, a flow fails right after it has written that often to tables and to the registry."""
    place, text = count(1), "was stopped here"

    def stopping(write: Callable[..., object]) -> Callable[..., object]:
        def stopped(*arguments: object, **options: object) -> object:
            written = write(*arguments, **options)
            if next(place) == writes:
                raise CutOffError(text)
            return written

        return stopped

    # A stream raises an error of its own, with this one's text.
    with patch.context() as patched, pytest.raises(Exception, match=text):
        for owner, name in (*_TO_TABLES, *_TO_THE_REGISTRY):
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
