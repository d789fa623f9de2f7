from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.model_roles import failed_checks, model_roles
from solosolve.names import CHALLENGER, CHAMPION, MODEL_EVENTS, SHADOW
from solosolve.storage.delta_reader import DeltaReader
from support.warehouses import append, event


def holders(warehouse: Path, *events: dict[str, Any]) -> tuple[int | None, ...]:
    """The versions that are champion, challenger and shadow after some events."""
    append(warehouse, MODEL_EVENTS, events)
    found = model_roles(Answers(DeltaReader(warehouse)))
    terms = [found.now(role) for role in (CHAMPION, CHALLENGER, SHADOW)]
    return tuple(term.version if term else None for term in terms)


TRAINED = [event(1, "promoted", 0, CHAMPION), event(2, "trained", 0, CHALLENGER), event(2, "shadowed", 1, SHADOW)]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ([], (1, 2, 2)),
        ([event(3, "trained", 0, CHALLENGER)], (1, 3, 2)),
        ([event(3, "trained", 0, CHALLENGER), event(3, "shadowed", 1, SHADOW)], (1, 3, 3)),
        ([event(2, "promoted", 5, CHAMPION)], (2, None, None)),
        ([event(2, "promoted_by_hand", 5, CHAMPION)], (2, None, None)),
        ([event(1, "rolled_back", 9_000, CHAMPION)], (1, 2, None)),
    ],
)
def test_roles_after_each_kind_of_move(
    tmp_path: Path, later: list[dict[str, Any]], expected: tuple[int | None, ...]
) -> None:
    assert holders(tmp_path, *TRAINED, *later) == expected


@pytest.mark.parametrize("evidence", ["", "not JSON", "[]", "{}", '{"checks": null}'])
def test_evidence_without_checks_names_none(evidence: str) -> None:
    assert failed_checks(evidence) == []
