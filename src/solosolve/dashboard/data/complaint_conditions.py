"""Conditions on complaints' texts and facts, which `gold.predictions` does not hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from solosolve.dashboard.data.answers import Answers, ask_where
from solosolve.dashboard.data.filters import Condition
from solosolve.dashboard.data.search import FACTS, Search
from solosolve.names import COMPLAINTS, FILED_COLUMNS, NARRATIVE, REQUESTS, Table
from solosolve.storage.reader import Value

WORDS_SEARCHED = 200_000
"""Narratives in which words are searched, those received last: about a second on two cores, in a bounded memory."""

_ON_PREDICTIONS = "via"
"""The fact that `gold.predictions` has too."""


@dataclass(frozen=True)
class ComplaintCondition:
    """A condition on a row of `gold.predictions`.

    Attributes:
        condition: The condition.
        tables: The other tables that it reads.
    """

    condition: Condition
    tables: tuple[Table, ...] = ()


def condition_on_complaints(answers: Answers, search: Search) -> ComplaintCondition:
    """Returns the condition that a complaint has the words and facts of a search.

    Texts are in `silver.complaints`, and those of requests also in `bronze.inference_requests`, which has no outcomes.
    """
    facts = dict(search.facts)
    condition = _one_of("submitted_via", facts.pop(_ON_PREDICTIONS, ()))
    if not facts and not search.words:
        return ComplaintCondition(condition)
    tables = tuple(table for table in _readable(answers) if table == COMPLAINTS or _is_filed(facts))
    if not tables:
        return ComplaintCondition(condition & Condition("false"))
    of_complaint = _received_since(answers, search) & _has_words(search.words)
    for name, values in facts.items():
        of_complaint &= _one_of(FACTS[name], values)
    selects = (f"select complaint_id from {table} where {of_complaint.sql}" for table in tables)
    found = Condition(f"complaint_id in ({' union all '.join(selects)})", of_complaint.parameters)
    return ComplaintCondition(condition & found, tables)


def words_searched_since(answers: Answers) -> date | None:
    """Returns the day of receipt from which narratives are searched for words; None if all are."""
    received: Counter[date] = Counter()
    for table in _readable(answers):
        question = ask_where("date_received, count(*) as n", table, Condition(), "group by 1", sums=("n",))
        for row in answers.ask(question).to_pylist():
            if row["date_received"] is not None:
                received[row["date_received"]] += row["n"]
    if received.total() <= WORDS_SEARCHED:
        return None
    total = 0
    for day in sorted(received, reverse=True):
        total += received[day]
        if total >= WORDS_SEARCHED:
            return day
    return None


def fact_values(answers: Answers, name: str) -> list[str]:
    """Returns the values of one of FACTS, the most frequent first."""
    if answers.versions((COMPLAINTS,))[COMPLAINTS] is None:
        return []
    column = FACTS[name]
    question = ask_where(f"{column} as value, count(*) as n", COMPLAINTS, Condition(), "group by 1", sums=("n",))
    rows = [row for row in answers.ask(question).to_pylist() if row["value"]]
    return [row["value"] for row in sorted(rows, key=lambda row: (-row["n"], row["value"]))]


def _readable(answers: Answers) -> list[Table]:
    versions = answers.versions((COMPLAINTS, REQUESTS))
    return [table for table, version in versions.items() if version is not None]


def _is_filed(facts: dict[str, tuple[str, ...]]) -> bool:
    return all(FACTS[name] in FILED_COLUMNS for name in facts)


def _received_since(answers: Answers, search: Search) -> Condition:
    since = words_searched_since(answers) if search.words else None
    if since is None:
        return Condition()
    return Condition("date_received >= cast(:words_since as date)", (("words_since", since.isoformat()),))


def _has_words(words: tuple[str, ...]) -> Condition:
    condition = Condition()
    for number, word in enumerate(words):
        name = f"word_{number}"
        condition &= Condition(f"contains(lower({NARRATIVE}), lower(:{name}))", ((name, word),))
    return condition


def _one_of(column: str, values: tuple[str, ...]) -> Condition:
    if not values:
        return Condition()
    parameters: tuple[tuple[str, Value], ...] = tuple(
        (f"{column}_is_{number}", value) for number, value in enumerate(values)
    )
    return Condition(f"{column} in ({', '.join(f':{name}' for name, _ in parameters)})", parameters)
