"""What each model version is and was: champion, challenger or shadow, since when and by whom, as the ledger says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.names import CHALLENGER, CHAMPION, SHADOW
from solosolve.storage.champions import champion_to_go_back_to
from solosolve.storage.model_events import ModelEvent

Event = Mapping[str, Any]

_PROMOTIONS = frozenset({ModelEvent.PROMOTED, ModelEvent.PROMOTED_PROVISIONAL})
_VALIDATIONS = {
    ModelEvent.VALIDATION_PASSED: "passed its validation",
    ModelEvent.VALIDATION_PROVISIONAL: "passed provisionally: it does not beat the prior with certainty",
    ModelEvent.VALIDATION_SHADOW: "not certainly better than the champion",
    ModelEvent.VALIDATION_REJECTED: "rejected",
}


@dataclass(frozen=True)
class Term:
    """A version's time in a role.

    Attributes:
        role: CHAMPION, CHALLENGER or SHADOW.
        version: The version.
        since: When it began.
        until: When it ended; None if it lasts.
        event: What began it.
        actor: Who did that.
    """

    role: str
    version: int
    since: datetime
    until: datetime | None
    event: str
    actor: str

    @property
    def is_provisional(self) -> bool:
        """Whether a champion was promoted without beating the prior."""
        return self.event == ModelEvent.PROMOTED_PROVISIONAL


@dataclass(frozen=True)
class ModelRoles:
    """The ledger, read.

    Attributes:
        events: Its events, oldest first, without the loop's checks.
        terms: Every time in a role, oldest first.
    """

    events: tuple[Event, ...]
    terms: tuple[Term, ...]

    def now(self, role: str) -> Term | None:
        """Who has a role now."""
        return next((term for term in reversed(self.terms) if term.role == role and term.until is None), None)

    @property
    def fallback(self) -> int | None:
        """The version that a rollback would make champion; None if there is none."""
        champion = self.now(CHAMPION)
        moves = ((each["model_version"], each["event"]) for each in self.events if each["alias"] == CHAMPION)
        return champion_to_go_back_to(moves, champion.version) if champion else None

    def verdict_on(self, version: int) -> str:
        """What the newest validation of a version said, in words; "not validated" before the first."""
        for each in reversed(self.events):
            if each["model_version"] == version and each["event"] in _VALIDATIONS:
                failed = failed_checks(each["evidence"])
                words = _VALIDATIONS[each["event"]]
                is_rejected = each["event"] == ModelEvent.VALIDATION_REJECTED
                return f"{words}: {', '.join(failed)}" if is_rejected and failed else words
        return "not validated"


def model_roles(answers: Answers) -> ModelRoles:
    """Reads the ledger.

    Raises:
        NotYetError: `gold.model_events` does not exist.
    """
    events = tuple(answers.ask(questions.model_history()).to_pylist())
    return ModelRoles(events, tuple(sorted(_terms(events), key=lambda term: term.since)))


def failed_checks(evidence: str) -> list[str]:
    """The names of the checks that a validation failed, as its evidence says."""
    try:
        found = json.loads(evidence)
    except ValueError:
        return []
    checks = found.get("checks") if isinstance(found, dict) else None
    return [str(each["name"]).replace("_", " ") for each in checks or () if not each.get("is_passed")]


def _terms(events: Sequence[Event]) -> list[Term]:
    """The times of each role: each ends with the next version in it, and a promotion also ends the two others."""
    terms = []
    for place, event in enumerate(events):
        if event["alias"] in (CHAMPION, CHALLENGER, SHADOW):
            ending = (other["event_at"] for other in events[place + 1 :] if _ends(event, other))
            terms.append(
                Term(
                    event["alias"], event["model_version"], event["event_at"], next(ending, None), event["event"],
                    event["actor"],
                )
            )  # fmt: skip
    return terms


def _ends(begun: Event, later: Event) -> bool:
    if later["alias"] == begun["alias"]:
        return True
    if later["alias"] != CHAMPION:
        return False
    # A move by hand leaves a challenger that is not the new champion where it is.
    is_settled = later["event"] in _PROMOTIONS or later["model_version"] == begun["model_version"]
    return begun["alias"] == SHADOW or is_settled
