"""The facts that alerts are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class StreamFacts:
    """What a stream has done last, and what waits for it.

    Attributes:
        source: Where its requests arrive.
        last_batch_at: When its newest batch ended; None if it has had none.
        waiting: Requests that wait.
        waiting_since: Since when the oldest of them waits; None if none does, or if that is unknown.
    """

    source: str
    last_batch_at: datetime | None
    waiting: int = 0
    waiting_since: datetime | None = None


@dataclass(frozen=True)
class SetAside:
    """Records or messages that could not be read.

    Attributes:
        count: How many.
        first_at: When the first of them was set aside.
        reason: The most frequent reason.
        reason_count: How many have it.
    """

    count: int
    first_at: datetime
    reason: str
    reason_count: int


@dataclass(frozen=True)
class ChampionState:
    """What is known of the champion.

    Attributes:
        version: Its version.
        promoted_at: When it became champion.
        is_provisional: Whether it was promoted without beating the prior.
        drifted: The features, or `score`, with an alarm in the newest window that was measured.
        drift_until: The end of that window; None if none was measured.
        auc_expected: Its AUC on the test split; None if unknown.
        auc_high: Upper end of the 95 % interval of its AUC in the newest window with enough labels; None without any.
        labels_until: The end of that window.
        contradicted_at: When the gate last found that labels contradict it; None if its last look did not.
        surprise: How many standard errors they were off then.
    """

    version: int
    promoted_at: datetime
    is_provisional: bool = False
    drifted: tuple[str, ...] = ()
    drift_until: datetime | None = None
    auc_expected: float | None = None
    auc_high: float | None = None
    labels_until: datetime | None = None
    contradicted_at: datetime | None = None
    surprise: float = 0.0


@dataclass(frozen=True)
class FailedRun:
    """The newest run of a job, which failed.

    Attributes:
        job: The job.
        ended_at: When it ended.
        task: The first task that failed; None if the run was killed between two.
        error: Why, in one line.
    """

    job: str
    ended_at: datetime
    task: str | None
    error: str


@dataclass(frozen=True)
class Facts:
    """All that alerts are judged by, as of one instant.

    Attributes:
        at: The instant.
        has_complaints: Whether there are complaints that a champion could score.
        champion: The champion; None if there is none.
        streams: The streams, by source.
        dead_letters: Requests that could not be read lately, and that nobody has replayed; None if there are none.
        refused_feedback: Feedback events that were refused lately; None if there are none.
        quarantined: Records that were quarantined lately; None if there are none.
        failed_runs: The jobs whose newest run failed.
    """

    at: datetime
    has_complaints: bool = False
    champion: ChampionState | None = None
    streams: tuple[StreamFacts, ...] = ()
    dead_letters: SetAside | None = None
    refused_feedback: SetAside | None = None
    quarantined: SetAside | None = None
    failed_runs: tuple[FailedRun, ...] = ()
