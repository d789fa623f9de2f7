from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
import pytest

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers, NotYetError, Question
from solosolve.dashboard.data.filters import Filters
from solosolve.names import PREDICTIONS, Table
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.reader import Reader, TableVersion
from support.warehouses import append, delete, folder, prediction


class Watched(DeltaReader):
    """Counts the statements that are asked of whole tables."""

    def __init__(self, warehouse: Path) -> None:
        super().__init__(warehouse)
        object.__setattr__(self, "whole", [])

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        versions: Mapping[Table, TableVersion] | None = None,
    ) -> pa.Table:
        self.whole.append(sql)  # type: ignore[attr-defined]
        return super().query(sql, parameters, versions)


def rows_of(table: pa.Table) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row[name] for name in sorted(row)) for row in table.to_pylist())


@pytest.fixture
def reader(tmp_path: Path) -> Watched:
    append(tmp_path, PREDICTIONS, [prediction(number) for number in range(1, 51)])
    return Watched(tmp_path)


QUESTIONS = {
    "company": questions.predictions_by("company", Filters()),
    "state of a product": questions.predictions_by("state", Filters(product=("Mortgage",))),
    "bins": questions.score_distribution(Filters()),
    "span": questions.prediction_span(Filters()),
    "time": questions.predictions_over_time("minute", Filters()),
    "streamed": questions.streamed(Filters(company=("Elm Bank",))),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_answer_that_was_folded_equals_one_that_is_asked_anew(reader: Watched, question: Question) -> None:
    answers = Answers(reader)
    answers.ask(question)
    for first in (51, 90, 120):
        # New names, names that are null, and a batch with nothing that the question is about.
        rows = [prediction(n, company=None if n % 3 else f"New {n}") for n in range(first, first + 20)]
        append(reader.warehouse, PREDICTIONS, rows)
        folded = answers.ask(question)
        assert rows_of(folded) == rows_of(DeltaReader(reader.warehouse).query(question.sql, dict(question.parameters)))
    assert len(reader.whole) == 1  # type: ignore[attr-defined]


def test_answer_is_asked_once_a_commit(reader: Watched) -> None:
    answers = Answers(reader)
    for _ in range(3):
        answers.ask(QUESTIONS["company"])
    assert len(reader.whole) == 1  # type: ignore[attr-defined]


def test_answer_over_rows_that_were_deleted_is_asked_anew(reader: Watched) -> None:
    answers = Answers(reader)
    answers.ask(QUESTIONS["bins"])
    delete(reader.warehouse, PREDICTIONS, "complaint_id <= 25")
    assert sum(answers.ask(QUESTIONS["bins"]).column("n").to_pylist()) == 25


def test_answer_over_a_table_that_was_made_anew_forgets_the_old_one(reader: Watched) -> None:
    import shutil

    answers = Answers(reader)
    answers.ask(QUESTIONS["bins"])
    shutil.rmtree(folder(reader.warehouse, PREDICTIONS))
    with pytest.raises(NotYetError, match=r"^gold\.predictions does not exist yet; run: solosolve run score_batch$"):
        answers.ask(QUESTIONS["bins"])
    append(reader.warehouse, PREDICTIONS, [prediction(1), prediction(2)])
    append(reader.warehouse, PREDICTIONS, [prediction(3)])
    assert sum(answers.ask(QUESTIONS["bins"]).column("n").to_pylist()) == 3


def test_question_that_cannot_be_folded_follows_every_commit(reader: Watched) -> None:
    answers = Answers(reader)
    newest = Question(f"select max(complaint_id) as n from {PREDICTIONS}", (PREDICTIONS,))
    assert answers.ask(newest).to_pylist() == [{"n": 50}]
    append(reader.warehouse, PREDICTIONS, [prediction(51)])
    assert answers.ask(newest).to_pylist() == [{"n": 51}]


def test_browsers_that_ask_at_once_share_one_answer(reader: Watched) -> None:
    answers = Answers(reader)
    found: list[pa.Table] = []
    threads = [Thread(target=lambda: found.append(answers.ask(QUESTIONS["company"]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reader.whole) == 1  # type: ignore[attr-defined]
    assert all(each.equals(found[0]) for each in found)


def test_reader_that_cannot_tell_what_is_new_is_asked_for_the_whole(tmp_path: Path) -> None:
    class Plain(Watched):
        @contextmanager
        def added(self, table: Table, since: TableVersion, until: TableVersion) -> Iterator[Reader | None]:
            yield None

    append(tmp_path, PREDICTIONS, [prediction(1)])
    reader = Plain(tmp_path)
    answers = Answers(reader)
    answers.ask(QUESTIONS["bins"])
    append(tmp_path, PREDICTIONS, [prediction(2)])
    assert sum(answers.ask(QUESTIONS["bins"]).column("n").to_pylist()) == 2
    assert len(reader.whole) == 2  # type: ignore[attr-defined]
