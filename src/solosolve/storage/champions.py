"""Which model version is champion, according to the ledger `gold.model_events`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from solosolve.errors import NoChampionError
from solosolve.names import CHAMPION, MODEL_EVENTS
from solosolve.storage.model_events import ModelEvent

CHAMPION_EVENTS_SQL = (
    f"select model_version, event, event_at from {MODEL_EVENTS} where alias = '{CHAMPION}' "
    "order by event_at desc limit 50"
)
"""The events that moved the champion alias, newest first, for `CurrentChampion.from_events`."""


@dataclass(frozen=True)
class CurrentChampion:
    """The champion and the version that it replaced.

    Attributes:
        version: The champion's version.
        is_provisional: Whether it was promoted without beating the prior.
        previous: The version that was champion before; None if this is the first.
    """

    version: int
    is_provisional: bool
    previous: int | None

    @classmethod
    def from_events(cls, events: pa.Table) -> CurrentChampion:
        """Reads the answer to `CHAMPION_EVENTS_SQL`.

        Raises:
            NoChampionError: No version has been promoted.
        """
        rows = events.to_pylist()
        if not rows:
            raise NoChampionError
        newest = rows[0]
        version = int(newest["model_version"])
        earlier = (int(row["model_version"]) for row in rows)
        return cls(
            version=version,
            is_provisional=newest["event"] == ModelEvent.PROMOTED_PROVISIONAL,
            previous=next((other for other in earlier if other != version), None),
        )


def champion_to_go_back_to(moves: Iterable[tuple[int, str]], champion: int) -> int | None:
    """The version that a rollback makes champion: the one before the present champion.

    A version that was rolled back from does not count, so a second rollback goes further.

    Args:
        moves: Version and event of everything that moved the alias `champion`, oldest first.
        champion: The present champion.

    Returns:
        The version; None if there is none to go back to.
    """
    stack: list[int] = []
    for version, event in moves:
        if event == ModelEvent.ROLLED_BACK and version in stack:
            while stack[-1] != version:
                stack.pop()
        else:
            stack.append(version)
    return next((version for version in reversed(stack) if version != champion), None)
