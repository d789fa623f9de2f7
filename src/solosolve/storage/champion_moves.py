"""How a version becomes champion: at one instant, which registry, ledger and predictions agree on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from pyspark.sql import functions as F

from solosolve.clock import now
from solosolve.errors import ModelError
from solosolve.names import CHAMPION, MODEL_EVENTS, SHADOW
from solosolve.storage.ledger import record_event
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.table_facts import read_or_empty
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
        event: What the ledger calls the move.
    """

    version: int
    effective_at: datetime
    replaces: int | None
    event: ModelEvent

    def __str__(self) -> str:
        return f"{self.version} at {self.effective_at.isoformat()} after {self.replaces or 0} as {self.event}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Reads what `str` writes; None for another text."""
        try:
            version, _, instant, _, replaces, _, event = text.split(" ")
            return cls(int(version), datetime.fromisoformat(instant), int(replaces) or None, ModelEvent(event))
        except ValueError:
            return None


def newest_move(registry: Registry) -> ChampionMove | None:
    """The newest move; None if the champion was named by other means, or there is none."""
    return ChampionMove.parse(registry.model_tag(_TAG) or "")


def champion_at(tables: Tables, registry: Registry, instant: datetime) -> RegisteredModel | None:
    """The champion at an instant; None if there is none.

    A batch that was planned before a move took effect gets the version that was champion then, whenever it asks: the
    ledger knows it, after any number of moves.
    """
    champion, move = registry.find(CHAMPION), newest_move(registry)
    if champion is None or move is None or move.version != champion.version or instant >= move.effective_at:
        return champion
    moves = read_or_empty(tables, MODEL_EVENTS).where(F.col("alias") == CHAMPION)
    earlier = moves.where(F.col("event_at") <= F.lit(instant)).orderBy(F.desc("event_at"))
    found = [row["model_version"] for row in earlier.limit(1).collect()]
    version = found[0] if found else move.replaces
    return champion if version is None else registry.get(version)


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
    complete_move(tables, registry, {})
    before = registry.find(CHAMPION)
    replaces = before.version if before is not None else None
    for _ in range(_ATTEMPTS):
        move = ChampionMove(model.version, now() + LEAD, replaces, event)
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


def complete_move(tables: Tables, registry: Registry, evidence: Mapping[str, object]) -> ChampionMove | None:
    """Records the newest move, if it was interrupted after the alias had moved and before the ledger had it.

    Args:
        tables: The tables, for the ledger.
        registry: The registry.
        evidence: The reasons, as far as they are known.

    Returns:
        The move; None if there is nothing to complete.
    """
    move, champion = newest_move(registry), registry.find(CHAMPION)
    if move is None or champion is None or move.version != champion.version:
        return None
    is_move = (F.col("alias") == CHAMPION) & (F.col("event_at") == F.lit(move.effective_at))
    if not read_or_empty(tables, MODEL_EVENTS).where(is_move).isEmpty():
        return None
    found = {"replaces": move.replaces, **evidence}
    record_event(tables, move.version, move.event, found, alias=CHAMPION, at=move.effective_at)
    return move


def end_shadow(registry: Registry) -> None:
    """Ends the shadow of a former champion: what scored beside it was never compared with another one."""
    if registry.find(SHADOW) is not None:
        registry.delete_alias(SHADOW)
