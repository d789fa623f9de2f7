"""What is wrong, and what to do about it: one rule for each alert.

Evidence has no words that change while the facts stay the same, such as an age: it is written only when it changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from solosolve.alerts.facts import Facts, SetAside
from solosolve.loop_settings import LoopSettings
from solosolve.model.retraining import fall_of_auc


class Severity(StrEnum):
    """How soon a person is needed, the most urgent first."""

    ACT = "act"
    """Work stands still, or results are missing, until a person acts."""
    LOOK = "look"
    """Something has changed; a person should know before trusting the results."""


@dataclass(frozen=True)
class Alert:
    """One thing that needs a person.

    Attributes:
        name: Its name, which stays the same as long as it lasts: a rule's, and what the rule is about after a colon.
        severity: How urgent it is.
        since: When it began.
        evidence: A JSON object: `summary` is one sentence, the other values are the figures in it.
        what_to_do: One sentence with the command.
    """

    name: str
    severity: Severity
    since: datetime
    evidence: str
    what_to_do: str


def find_alerts(facts: Facts, limits: LoopSettings) -> tuple[Alert, ...]:
    """Judges the facts by every rule.

    Returns:
        The alerts, in the order of the rules.
    """
    return tuple(alert for rule in _RULES for alert in rule(facts, limits))


def _stale_streams(facts: Facts, limits: LoopSettings) -> Iterator[Alert]:
    limit = timedelta(minutes=limits.alert_stream_minutes)
    for each in facts.streams:
        since = each.waiting_since
        times = [at for at in (each.last_batch_at, since) if at is not None]
        if not each.waiting or since is None or facts.at - max(times) < limit:
            continue
        last = f"since {_utc(each.last_batch_at)}" if each.last_batch_at else "so far"
        yield Alert(
            f"stale_stream:{each.source}",
            Severity.ACT,
            since,
            _evidence(
                f"The {each.source} stream has finished no batch {last}, and {_count(each.waiting, 'request')} "
                f"{_verb(each.waiting, 'waits', 'wait')}.",
                waiting=each.waiting,
                last_batch_at=each.last_batch_at,
            ),
            f"Start it with `solosolve run score_stream --param source={each.source}`; if it is running, read its log.",
        )


def _dead_letters(facts: Facts, limits: LoopSettings) -> Iterator[Alert]:
    return _of_set_aside(
        "dead_letters", Severity.ACT, facts.dead_letters, limits.alert_dead_letters,
        lambda count: f"{_count(count, 'message')} could not be read in {_hours(limits)}",
        "Correct what `solosolve deadletters list --format json > letters.json` lists, and run `solosolve deadletters "
        "replay letters.json`.",
    )  # fmt: skip


def _refused_feedback(facts: Facts, limits: LoopSettings) -> Iterator[Alert]:
    return _of_set_aside(
        "refused_feedback", Severity.LOOK, facts.refused_feedback, limits.alert_dead_letters,
        lambda count: f"{_count(count, 'feedback event')} {_verb(count, 'was', 'were')} refused in {_hours(limits)}",
        "List them with `solosolve deadletters list --feedback`, correct them, and send them again with `solosolve "
        "feedback import FILE` or to the topic.",
    )  # fmt: skip


def _quarantined(facts: Facts, limits: LoopSettings) -> Iterator[Alert]:
    return _of_set_aside(
        "quarantined_records", Severity.LOOK, facts.quarantined, limits.alert_quarantined,
        lambda count: f"{_count(count, 'record')} {_verb(count, 'was', 'were')} quarantined in {_hours(limits)}",
        'Read them with `solosolve sql "select _source_file, _source_line, _reason, _record from '
        'bronze.complaints_quarantine order by _ingested_at desc limit 20"`, and land a corrected file.',
    )  # fmt: skip


def _of_set_aside(
    name: str, severity: Severity, found: SetAside | None, least: int, say: Callable[[int], str], what_to_do: str
) -> Iterator[Alert]:
    """The alert on what was set aside, from a number on; it says what happened, and the most frequent reason."""
    if found is None or found.count < least:
        return
    often = "" if found.count == 1 else f"most often ({found.reason_count:,}): "
    evidence = _evidence(
        f"{say(found.count)}; {often}{found.reason}", count=found.count, reason=found.reason,
        reason_count=found.reason_count,
    )  # fmt: skip
    yield Alert(name, severity, found.first_at, evidence, what_to_do)


def _drift(facts: Facts, _: LoopSettings) -> Iterator[Alert]:
    champion = facts.champion
    if champion is None or champion.drift_until is None or not champion.drifted:
        return
    yield Alert(
        "drift",
        Severity.LOOK,
        champion.drift_until,
        _evidence(
            f"What version {champion.version} scored until {champion.drift_until:%Y-%m-%d} differs from what it was "
            f"trained on: {', '.join(champion.drifted)}.",
            model_version=champion.version,
            features=champion.drifted,
        ),
        "Look at the features in the room Model; once outcomes have come, `solosolve run retrain` trains a challenger.",
    )


def _fall_of_performance(facts: Facts, limits: LoopSettings) -> Iterator[Alert]:
    champion = facts.champion
    if champion is None or champion.labels_until is None:
        return
    fallen = fall_of_auc(champion.auc_expected, champion.auc_high, limits.retrain_auc_fall)
    if fallen is None:
        return
    yield Alert(
        "fall_of_performance",
        Severity.LOOK,
        champion.labels_until,
        _evidence(
            f"Version {champion.version} is worse on the labels until {champion.labels_until:%Y-%m-%d} than on its "
            f"test split: {fallen}.",
            model_version=champion.version,
            auc_expected=champion.auc_expected,
            auc_high=champion.auc_high,
        ),
        "Rely less on its scores, and see with `solosolve model list` what the gate decided on its challenger.",
    )


def _champion(facts: Facts, _: LoopSettings) -> Iterator[Alert]:
    champion = facts.champion
    if champion is None:
        if facts.has_complaints:
            summary = _evidence("There are complaints, but no champion to score them.")
            yield Alert("no_champion", Severity.ACT, facts.at, summary, "Train one with `solosolve run train_model`.")
        return
    if champion.is_provisional:
        yield Alert(
            "provisional_champion",
            Severity.LOOK,
            champion.promoted_at,
            _evidence(
                f"Version {champion.version} is champion without reliably beating the prior, as there was no other.",
                model_version=champion.version,
            ),
            "Do not act on its scores; bring outcomes in with `solosolve feedback import FILE`, then run "
            "`solosolve run retrain`.",
        )
    if champion.contradicted_at is not None:
        yield Alert(
            "contradicting_labels",
            Severity.LOOK,
            champion.contradicted_at,
            _evidence(
                f"New labels suddenly contradict version {champion.version}: they are {abs(champion.surprise):.1f} "
                "standard errors from its probabilities.",
                model_version=champion.version,
                surprise=champion.surprise,
            ),
            'Find out whether the newest outcomes are right: `solosolve sql "select * from silver.feedback order by '
            'given_at desc limit 50"`.',
        )


def _failed_jobs(facts: Facts, _: LoopSettings) -> Iterator[Alert]:
    for run in facts.failed_runs:
        task = f" in {run.task}" if run.task else ""
        resume = f" --from {run.task}" if run.task else ""
        yield Alert(
            f"failed_job:{run.job}",
            Severity.ACT,
            run.ended_at,
            _evidence(f"The newest run of {run.job} failed{task}: {run.error}", task=run.task, error=run.error),
            f"Mend the cause, then run `solosolve run {run.job}{resume}`.",
        )


_RULES: tuple[Callable[[Facts, LoopSettings], Iterable[Alert]], ...] = (
    _stale_streams, _dead_letters, _refused_feedback, _quarantined, _drift, _fall_of_performance, _champion,
    _failed_jobs,
)  # fmt: skip


def _evidence(summary: str, **figures: object) -> str:
    return json.dumps({"summary": summary, **figures}, default=_as_text)


def _as_text(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _hours(limits: LoopSettings) -> str:
    return "the last hour" if limits.alert_hours == 1 else f"the last {limits.alert_hours} hours"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _verb(number: int, one: str, many: str) -> str:
    return one if number == 1 else many
