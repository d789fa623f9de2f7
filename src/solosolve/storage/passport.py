"""The passport of a prediction: from the file or message that brought the complaint to what moved the probability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any, Protocol

from solosolve.errors import SolosolveError, TableError
from solosolve.names import (
    BATCH_SOURCE,
    COMPLAINTS,
    COMPLAINTS_RAW,
    DELTA_SOURCE,
    FEATURES,
    FILED_COLUMNS,
    KEPT_SOURCES,
    OUTCOME_NAMES,
    PREDICTIONS,
    REQUESTS,
    Table,
)
from solosolve.storage.model_explainer import Explanation, ModelFacts
from solosolve.storage.reader import Reader, TableVersion

_READ_FROM = {BATCH_SOURCE: COMPLAINTS, DELTA_SOURCE: REQUESTS}
"""The table whose version is a prediction's `source_position`."""


class Models(Protocol):
    """What a passport asks of the registered models."""

    def explain(self, complaint: Mapping[str, object], model_version: int) -> Explanation:
        """Scores a complaint and says what makes up its probability; raises ModelError."""
        ...

    def facts(self, model_version: int) -> ModelFacts:
        """Where a version comes from; raises ModelError."""
        ...


@dataclass(frozen=True)
class Passport:
    """Where a complaint's newest prediction comes from.

    Attributes:
        facts: Names and values, in the order in which they should be read.
        probability: The stored probability.
        explanation: What the version says of the complaint as it was when it was scored; None without its text.
    """

    facts: tuple[tuple[str, str], ...]
    probability: float
    explanation: Explanation | None

    @property
    def scored_again(self) -> str:
        """Whether the version gives the same probability again."""
        if self.explanation is None:
            return "not possible without the complaint's text"
        again = self.explanation.probability
        return f"{again!r}: {'the same, to the bit' if again == self.probability else 'another value'}"


@dataclass(frozen=True)
class _Text:
    """The complaint that was scored, and the version of the table that it was read from."""

    complaint: dict[str, Any] | None
    table: Table
    version: TableVersion | None
    is_as_scored: bool

    def __str__(self) -> str:
        if self.complaint is None:
            return "in no table"
        number = self.version.number if self.version else None
        return f"{self.table}, version {number}{'' if self.is_as_scored else ', as it is now'}"


def passport_of(reader: Reader, models: Models, complaint_id: int) -> Passport:
    """Everything that is known of a complaint's newest prediction.

    The complaint is read as the table had it when it was scored, and scored again. If that version is no longer kept,
    or the prediction does not name one, it is read as silver has it now.

    Args:
        reader: Reads the tables.
        models: The registered models.
        complaint_id: The complaint.

    Raises:
        SolosolveError: There is no prediction.
        ModelError: The version cannot be loaded.
    """
    found = _rows(reader, f"select * from {PREDICTIONS} where complaint_id = :id order by scored_at desc limit 1",
                  complaint_id)  # fmt: skip
    if not found:
        raise SolosolveError(f"complaint {complaint_id} has no prediction")
    (prediction,) = found
    text = _text_of(reader, prediction)
    facts = tuple(_facts(reader, models, prediction, text))
    explanation = None
    if text.complaint is not None:
        filed = {name: text.complaint[name] for name in FILED_COLUMNS}
        explanation = models.explain(filed, prediction["model_version"])
    return Passport(facts, prediction["probability"], explanation)


def _facts(reader: Reader, models: Models, prediction: dict[str, Any], text: _Text) -> Iterator[tuple[str, str]]:
    complaint_id = prediction["complaint_id"]
    yield "complaint", str(complaint_id)
    yield "probability", repr(prediction["probability"])
    yield "scored at", _instant(prediction["scored_at"])
    batch = "" if prediction["batch_id"] is None else f", batch {prediction['batch_id']}"
    position = f" at {prediction['source_position']}" if prediction["source_position"] else ""
    yield "requested through", f"{prediction['source']}{position}{batch}"
    yield "text", str(text)
    silver = text if text.table == COMPLAINTS else _newest(reader, complaint_id)
    if silver.complaint is not None:
        yield "source", f"{_short(silver.complaint['_source_file'])}, line {silver.complaint['_source_line']}"
        yield "SHA-256 of the source", silver.complaint["_source_sha256"]
        yield "landed at", _instant(silver.complaint["_ingested_at"])
        yield f"version of {COMPLAINTS}", str(silver.version.number if silver.version else None)
        yield f"version of {COMPLAINTS_RAW}", _bronze_version(reader, silver)
    model = models.facts(prediction["model_version"])
    yield "model", f"{model.name} version {model.version}, run {model.run_id}"
    yield "features", model.feature_model_uri or "unknown"
    yield "git commit", model.git_commit or "unknown"
    yield "label", _label(reader, complaint_id)


def _text_of(reader: Reader, prediction: dict[str, Any]) -> _Text:
    """The complaint as it was scored, or else as silver has it now."""
    if prediction["source"] in KEPT_SOURCES:
        return _kept(reader, prediction) or _newest(reader, prediction["complaint_id"])
    table, position = _READ_FROM.get(prediction["source"]), str(prediction["source_position"])
    newest = reader.version(table) if table is not None else None
    if table is not None and newest is not None and position.isdecimal():
        version = TableVersion(newest.table_id, int(position))
        sql = f"select * from {table} where complaint_id = :id"
        if table == REQUESTS:
            sql += " and requested_at = :requested_at"
        try:
            found = _rows(reader, f"{sql} limit 1", prediction["complaint_id"], {table: version},
                          requested_at=prediction["requested_at"])  # fmt: skip
        except TableError:
            found = []
        if found:
            return _Text(found[0], table, version, is_as_scored=True)
    return _newest(reader, prediction["complaint_id"])


def _kept(reader: Reader, prediction: dict[str, Any]) -> _Text | None:
    """The request that the stream kept with its prediction; None for predictions of releases that kept none."""
    version = reader.version(REQUESTS)
    if version is None:
        return None
    same = ("source", "source_position", "requested_at")
    sql = f"select * from {REQUESTS} where complaint_id = :id and {' and '.join(f'{name} = :{name}' for name in same)}"
    try:
        found = _rows(reader, f"{sql} limit 1", prediction["complaint_id"], {REQUESTS: version},
                      **{name: prediction[name] for name in same})  # fmt: skip
    except TableError:
        # A table of an earlier release has no positions.
        return None
    return _Text(found[0], REQUESTS, version, is_as_scored=True) if found else None


def _newest(reader: Reader, complaint_id: int) -> _Text:
    version = reader.version(COMPLAINTS)
    found = [] if version is None else _rows(reader, f"select * from {COMPLAINTS} where complaint_id = :id",
                                             complaint_id, {COMPLAINTS: version})  # fmt: skip
    return _Text(found[0] if found else None, COMPLAINTS, version, is_as_scored=False)


def _bronze_version(reader: Reader, silver: _Text) -> str:
    """The newest commit of bronze when the version of silver was made."""
    number = silver.version.number if silver.version else None
    made = next((commit.at for commit in reader.commits(COMPLAINTS) if commit.number == number), None)
    if made is None or reader.version(COMPLAINTS_RAW) is None:
        return "unknown"
    earlier = [commit.number for commit in reader.commits(COMPLAINTS_RAW) if commit.at <= made]
    return str(max(earlier, default="unknown"))


def _label(reader: Reader, complaint_id: int) -> str:
    """The label of the newest features, and where it came from."""
    sql = f"select is_successful_resolution, label_source, label_at from {FEATURES} where complaint_id = :id"
    found = _rows(reader, sql, complaint_id) if reader.version(FEATURES) is not None else []
    if not found or found[0]["is_successful_resolution"] is None:
        return "unknown"
    row = found[0]
    return f"{OUTCOME_NAMES[row['is_successful_resolution']]}, {row['label_source']}, {_instant(row['label_at'])}"


def _short(file: str) -> str:
    """A file's name and its folder: below the home, that is its path there. Its hash identifies it."""
    return "/".join(PurePath(file).parts[-2:])


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _rows(
    reader: Reader, sql: str, complaint_id: int, versions: Mapping[Table, TableVersion] | None = None, **more: Any
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = reader.query(sql, {"id": complaint_id, **more}, versions).to_pylist()
    return rows
