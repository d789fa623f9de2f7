"""Stops a landing between two of its commits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from solosolve.names import QUARANTINE, Table
from solosolve.storage import landings
from solosolve.storage.staged_files import StagedFile
from solosolve.storage.tables import Tables


class CutOffError(Exception):
    """The landing was stopped."""


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
