"""How a version becomes champion: at one instant, which registry, ledger and predictions agree on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from solosolve.clock import now
from solosolve.errors import ModelError
from solosolve.names import CHAMPION, SHADOW
from solosolve.storage.ledger import record_event
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables

LEAD = timedelta(seconds=2)
"""How long before it takes effect a move is written, so that no reader can miss it: longer than the registry takes."""

_TAG = "champion_from"
"""The tag of the registered model with the newest move."""

_ATTEMPTS = 5


@dataclass(frozen=True)
class ChampionMove:
    """A version that becomes champion.

    Attributes:
        version: The version.
        effective_at: From when on it scores.
        replaces: The champion until then; None for the first.
    """

    version: int
    effective_at: datetime
    replaces: int | None

    def __str__(self) -> str:
        return f"{self.version} at {self.effective_at.isoformat()} after {self.replaces or 0}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Reads what `str` writes; None for another text."""
        try:
            version, _, instant, _, replaces = text.split(" ")
            return cls(int(version), datetime.fromisoformat(instant), int(replaces) or None)
        except ValueError:
            return None


def newest_move(registry: Registry) -> ChampionMove | None:
    """The newest move; None if the champion was named by other means, or there is none."""
    return ChampionMove.parse(registry.model_tag(_TAG) or "")


def champion_at(registry: Registry, instant: datetime) -> RegisteredModel | None:
    """The champion at an instant, which is not long ago; None if there is none.

    A batch that was planned just before a move took effect gets the version that was champion then, whenever it asks.
    """
    champion, move = registry.find(CHAMPION), newest_move(registry)
    if champion is None or move is None or move.version != champion.version or instant >= move.effective_at:
        return champion
    return champion if move.replaces is None else registry.get(move.replaces)


def move_champion(
    tables: Tables, registry: Registry, model: RegisteredModel, event: ModelEvent, evidence: Mapping[str, object]
) -> ChampionMove:
    """Makes a version champion: a tag with the instant from which it counts, the alias, and the ledger's event.

    Args:
        tables: The tables, for the ledger.
        registry: The registry.
        model: The version.
        event: What the ledger calls it.
        evidence: The reasons.

    Returns:
        The move; the event has its instant.

    Raises:
        ModelError: The registry takes longer than LEAD, or names another champion afterwards.
    """
    before = registry.find(CHAMPION)
    replaces = before.version if before is not None else None
    for _ in range(_ATTEMPTS):
        move = ChampionMove(model.version, now() + LEAD, replaces)
        registry.set_model_tag(_TAG, str(move))
        registry.set_alias(CHAMPION, model)
        if now() < move.effective_at:
            break
    else:
        raise ModelError(f"version {model.version}: the registry takes longer than {LEAD.total_seconds():g} s to write")
    promoted = registry.champion()
    if promoted.version != model.version:
        raise ModelError(f"version {model.version} was made champion, but the registry names {promoted.version}")
    record_event(tables, model.version, event, evidence, alias=CHAMPION, at=move.effective_at)
    # What runs next can count on the new champion.
    time.sleep(max(0.0, (move.effective_at - now()).total_seconds()))
    return move


def end_shadow(registry: Registry) -> None:
    """Ends the shadow of a former champion: what scored beside it was never compared with another one."""
    if registry.find(SHADOW) is not None:
        registry.delete_alias(SHADOW)
