from __future__ import annotations

import pickle

import pytest

from solosolve.errors import MissingTableError, NoChampionError, NotYetError
from solosolve.names import PREDICTIONS


@pytest.mark.parametrize(
    "error",
    [NotYetError("there are no tables yet", "make demo"), MissingTableError(PREDICTIONS), NoChampionError()],
    ids=lambda error: type(error).__name__,
)
def test_error_with_a_command_survives_pickling(error: NotYetError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
