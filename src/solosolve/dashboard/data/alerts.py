"""What needs a person now: the alerts that the job `retrain` would record at this instant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa

from solosolve.alerts.history import AlertRow
from solosolve.clock import now
from solosolve.dashboard.data.answers import Answers, Question
from solosolve.names import Table
from solosolve.settings import Settings
from solosolve.storage.judged_alerts import judge
from solosolve.storage.reader import Value


def current_alerts(answers: Answers, settings: Settings, at: datetime | None = None) -> tuple[AlertRow, ...]:
    """Judges the newest facts by the rules.

    The answer changes with the time, too: a stream that has stopped makes no commit.

    Args:
        answers: Answers over the tables; each is read once per commit.
        settings: The thresholds, and where the runs of jobs are recorded.
        at: The instant for which to judge; now when None.

    Returns:
        The alerts that are open, the most severe first, then the newest; `summary` is what each says.

    Raises:
        TableError: A table cannot be read.
    """

    def ask(
        sql: str, tables: tuple[Table, ...], values: Mapping[str, Value], *, sums: tuple[str, ...] = (),
        lowest: tuple[str, ...] = (), highest: tuple[str, ...] = (),
    ) -> pa.Table:  # fmt: skip
        return answers.ask(Question(sql, tables, tuple(values.items()), sums, lowest, highest))

    return judge(ask, settings, at or now())[1].open
