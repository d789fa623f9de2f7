"""What replays are judged by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from statistics import mean

from solosolve.local.replay import WINDOW_DAYS, ReplayedMonth
from solosolve.local.replay_world import World

WINDOWS = 2
"""Months after enough labels by which the loop has won back what was lost."""


def enough_labels(world: World, change_at: int) -> int:
    """The first month after which all complaints that a challenger learns from are from the changed world."""
    return _first_month(world, world.end(change_at - 1) + timedelta(days=WINDOW_DAYS + world.delay_days))


def clean_from(world: World, poisoned_at: int) -> int:
    """The first month in which a challenger learns from no outcome that was reported in a poisoned month."""
    return _first_month(world, world.end(poisoned_at) + timedelta(days=WINDOW_DAYS))


def _first_month(world: World, instant: datetime) -> int:
    """The first month that does not end before an instant."""
    return next(number for number in count(1) if world.end(number) >= instant)


def won_back(months: Sequence[ReplayedMonth], change_at: int, enough: int) -> float:
    """The share of the AUC that a change took from the first champion, against the oracle, that the loop won back.

    Args:
        months: The months of a replay, from the first one.
        change_at: The month of the change.
        enough: From `enough_labels`; the AUC is compared WINDOWS months later.
    """
    before = mean(month.auc_oracle - month.auc_champion for month in months[: change_at - 1])
    without = mean(month.auc_oracle - month.auc_without_loop for month in months[change_at - 1 :])
    then = months[enough + WINDOWS - 1]
    return 1 - (then.auc_oracle - then.auc_champion - before) / (without - before)
