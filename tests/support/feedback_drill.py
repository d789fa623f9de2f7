"""Feedback as it really comes: in any order, several times, late, contradictory, withdrawn, on unknown complaints."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from solosolve.names import FEEDBACK_TOPIC, Verdict
from solosolve.settings import Settings
from support.feedback_events import as_json_lines, as_messages, event
from support.topics import send

MATURITY_DAYS = 60
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
AS_OF = FIRST + timedelta(days=100)
"""Some events are given later than that."""

DELIVERIES = 3


@dataclass(frozen=True)
class FeedbackDrill:
    """Complaints, and the events on them.

    Attributes:
        complaints: Overrides of `silver.complaints`.
        events: Each event once, withdrawals among them.
        forgeries: Events whose id another event has, with other content.
        bad: Messages that are no events.
    """

    complaints: Sequence[dict[str, Any]]
    events: Sequence[dict[str, Any]]
    forgeries: Sequence[dict[str, Any]]
    bad: Sequence[bytes]

    @classmethod
    def of(cls, count: int, seed: int) -> FeedbackDrill:
        """A drill with that many events."""
        chance = random.Random(seed)
        known = count // 5
        complaints = [
            {
                "complaint_id": number,
                "date_received": date(2025, 10, 1) + timedelta(days=chance.randrange(90)),
                "is_successful_resolution": chance.choice([None, None, 0.0, 1.0]),
            }
            for number in range(1, known + 1)
        ]
        withdrawn, given = count // 20, count - count // 20
        # A quarter of the complaints have not arrived; times are few, so that some are equal.
        events = [
            event(
                f"e{number}", 1 + chance.randrange(known * 4 // 3), given_at=_time(chance),
                outcome=chance.choice(["success", "failure", "unsure"]), source=chance.choice(["event", "review"]),
                reason=chance.choice([None, "they paid"]),
            )
            for number in range(given)
        ]  # fmt: skip
        withdrawals = [
            each | {"outcome": "withdrawn", "given_at": _time(chance)} for each in chance.sample(events, withdrawn)
        ]
        forged = chance.sample(events, max(1, count // 100))
        forgeries = [each | {"outcome": "failure", "reason": "forged"} for each in forged]
        return cls(complaints, [*events, *withdrawals], forgeries, [b"{", b"[]", b'{"event_id": "x"}'])

    def delivery(self, number: int) -> list[dict[str, Any]]:
        """All events in an order of the delivery's own; the last one has the forgeries too."""
        chance, chosen = random.Random(number), [*self.events]
        if number == DELIVERIES - 1:
            chosen += self.forgeries
        chance.shuffle(chosen)
        return chosen

    def feedback(self) -> list[dict[str, Any]]:
        """The events as rows of `silver.feedback`, for an independent calculation."""
        return [
            {
                "feedback_id": each["event_id"],
                "complaint_id": each["complaint_id"],
                "verdict": each["outcome"],
                "is_successful_resolution": Verdict(each["outcome"]).label,
                "source": each["source"],
                "given_at": datetime.fromisoformat(each["given_at"]),
            }
            for each in self.events
        ]


def _time(chance: random.Random) -> str:
    return (FIRST + timedelta(hours=chance.randrange(110 * 24))).isoformat()


def deliver(
    settings: Settings, source: str, number: int, events: Sequence[dict[str, Any]], bad: Sequence[bytes]
) -> str:
    """Sends events to the topic, or writes them to a file; returns the source that the job reads."""
    if source == "kafka":
        send(settings, FEEDBACK_TOPIC, [*as_messages(events), *((b"bad", each) for each in bad)])
        return "kafka"
    folder = settings.home / "landing"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number:03}.jsonl").write_bytes(as_json_lines(events) + b"\n".join([*bad, b""]))
    return str(folder)
