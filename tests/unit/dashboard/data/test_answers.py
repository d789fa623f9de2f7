from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
import pytest

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers, Question
from solosolve.dashboard.data.filters import Filters
from solosolve.errors import NotYetError, UnreadableTablesError
from solosolve.names import COMPLAINTS, PREDICTIONS, Table
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.reader import Reader, TableVersion
from support.warehouses import append, complaint, delete, folder, prediction


class WatchedReader(DeltaReader):
    """Keeps the statements that read whole tables."""

    def __init__(self, warehouse: Path) -> None:
        super().__init__(warehouse)
        object.__setattr__(self, "full_reads", [])

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        versions: Mapping[Table, TableVersion] | None = None,
    ) -> pa.Table:
        self.full_reads.append(sql)  # type: ignore[attr-defined]
        return super().query(sql, parameters, versions)


def multiset(table: pa.Table) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row[name] for name in sorted(row)) for row in table.to_pylist())


@pytest.fixture
def reader(tmp_path: Path) -> WatchedReader:
    append(tmp_path, PREDICTIONS, [prediction(number) for number in range(1, 51)])
    return WatchedReader(tmp_path)


QUESTIONS = {
    "company": questions.predictions_by("company", Filters()),
    "state for a product": questions.predictions_by("state", Filters(product=("Mortgage",))),
    "bins": questions.score_distribution(Filters()),
    "span": questions.prediction_spans(Filters()),
    "time": questions.predictions_over_time("minute", Filters(), is_arrival=True),
    "streamed": questions.streamed_predictions(Filters(company=("Elm Bank",))),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_folded_answer_equals_one_read_from_the_whole_table(reader: WatchedReader, question: Question) -> None:
    answers = Answers(reader)
    answers.ask(question)
    for first in (51, 90, 120):
        # Rows with new companies and with null, some of which the question does not select.
        rows = [prediction(n, company=None if n % 3 else f"New {n}") for n in range(first, first + 20)]
        append(reader.warehouse, PREDICTIONS, rows)
        folded = answers.ask(question)
        assert multiset(folded) == multiset(
            DeltaReader(reader.warehouse).query(question.sql, dict(question.parameters))
        )
    assert len(reader.full_reads) == 1  # type: ignore[attr-defined]


def test_answer_reads_the_table_once_per_commit(reader: WatchedReader) -> None:
    answers = Answers(reader)
    for _ in range(3):
        answers.ask(QUESTIONS["company"])
    assert len(reader.full_reads) == 1  # type: ignore[attr-defined]


def test_answer_reads_the_whole_table_after_rows_are_deleted(reader: WatchedReader) -> None:
    answers = Answers(reader)
    answers.ask(QUESTIONS["bins"])
    delete(reader.warehouse, PREDICTIONS, "complaint_id <= 25")
    assert sum(answers.ask(QUESTIONS["bins"]).column("n").to_pylist()) == 25


def test_answer_forgets_the_rows_of_a_table_that_was_replaced(reader: WatchedReader) -> None:
    answers = Answers(reader)
    answers.ask(QUESTIONS["bins"])
    shutil.rmtree(folder(reader.warehouse, PREDICTIONS))
    with pytest.raises(
        NotYetError, match=r"^table gold\.predictions does not exist yet; run: solosolve run score_batch$"
    ):
        answers.ask(QUESTIONS["bins"])
    append(reader.warehouse, PREDICTIONS, [prediction(1), prediction(2)])
    append(reader.warehouse, PREDICTIONS, [prediction(3)])
    assert sum(answers.ask(QUESTIONS["bins"]).column("n").to_pylist()) == 3


def test_answer_that_cannot_be_folded_follows_every_commit(reader: WatchedReader) -> None:
    answers = Answers(reader)
    newest = Question(f"select max(complaint_id) as n from {PREDICTIONS}", (PREDICTIONS,))
    assert answers.ask(newest).to_pylist() == [{"n": 50}]
    append(reader.warehouse, PREDICTIONS, [prediction(51)])
    assert answers.ask(newest).to_pylist() == [{"n": 51}]


def test_threads_that_ask_at_once_share_one_answer(reader: WatchedReader) -> None:
    answers = Answers(reader)
    found: list[pa.Table] = []
    threads = [Thread(target=lambda: found.append(answers.ask(QUESTIONS["company"]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reader.full_reads) == 1  # type: ignore[attr-defined]
    assert all(each.equals(found[0]) for each in found)


def test_answer_reads_the_whole_table_if_the_reader_cannot_isolate_new_rows(tmp_path: Path) -> None:
    class FullReadsOnly(WatchedReader):
        @contextmanager
        def added(self, table: Table, since: TableVersion, until: TableVersion) -> Iterator[Reader | None]:
            yield None

    append(tmp_path, PREDICTIONS, [prediction(1)])
    reader = FullReadsOnly(tmp_path)
    answers = Answers(reader)
    answers.ask(QUESTIONS["bins"])
    append(tmp_path, PREDICTIONS, [prediction(2)])
    assert sum(answers.ask(QUESTIONS["bins"]).column("n").to_pylist()) == 2
    assert len(reader.full_reads) == 2  # type: ignore[attr-defined]


def test_table_is_no_longer_called_unreadable_once_its_log_is_as_before(reader: WatchedReader) -> None:
    answers = Answers(reader)
    answers.ask(QUESTIONS["bins"])
    broken = folder(reader.warehouse, PREDICTIONS) / "_delta_log" / f"{1:020}.json"
    broken.write_text("broken", encoding="utf-8")
    with pytest.raises(UnreadableTablesError):
        answers.ask(QUESTIONS["bins"])
    assert list(answers.unreadable) == [(PREDICTIONS,)]
    broken.unlink()
    answers.ask(QUESTIONS["bins"])
    assert answers.unreadable == {}


def test_tables_that_could_not_be_read_together_are_readable_once_each_has_been_read(reader: WatchedReader) -> None:
    append(reader.warehouse, COMPLAINTS, [complaint(1)])
    answers, together = Answers(reader), (PREDICTIONS, COMPLAINTS)
    with pytest.raises(UnreadableTablesError):
        answers.query(f"select no_such_column from {PREDICTIONS}, {COMPLAINTS}", together)
    assert list(answers.unreadable) == [together]
    answers.ask(QUESTIONS["bins"])
    assert list(answers.unreadable) == [together]
    answers.query(f"select count(*) as n from {COMPLAINTS}", (COMPLAINTS,))
    assert answers.unreadable == {}


def test_question_about_an_earlier_version_says_nothing_about_the_table(reader: WatchedReader) -> None:
    answers, version = Answers(reader), reader.version(PREDICTIONS)
    assert version is not None
    with pytest.raises(UnreadableTablesError):
        answers.query(f"select no_such_column from {PREDICTIONS}", (PREDICTIONS,), versions={PREDICTIONS: version})
    assert answers.unreadable == {}
