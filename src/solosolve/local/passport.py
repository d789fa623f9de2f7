"""The passport of a prediction: from the file or message that brought the complaint to what moved the probability."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from solosolve.errors import SolosolveError
from solosolve.names import COMPLAINTS, FEATURES, FILED_COLUMNS, PREDICTIONS
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.model_explainer import ModelExplainer
from solosolve.storage.registry import Registry

_SHOWN = 12
"""Contributions that are listed one by one; the rest is summed up."""


def passport_of(settings: Settings, complaint_id: int) -> list[tuple[str, str]]:
    """Everything that is known of a complaint's newest prediction.

    The complaint is read as silver has it now, scored again, and the result compared with the stored probability: they
    differ if a newer version of the complaint has been landed since.

    Args:
        settings: Locates tables and registry.
        complaint_id: The complaint.

    Returns:
        Names and values, in the order in which they should be read.

    Raises:
        SolosolveError: There is no prediction, or the complaint's text is not in silver.
        ModelError: The version cannot be loaded.
    """
    return list(_lines(settings, DeltaReader(settings.warehouse), complaint_id))


def _lines(settings: Settings, reader: DeltaReader, complaint_id: int) -> Iterator[tuple[str, str]]:
    prediction = _one(
        reader, f"select * from {PREDICTIONS} where complaint_id = :id order by scored_at desc limit 1", complaint_id
    )
    if prediction is None:
        raise SolosolveError(f"complaint {complaint_id} has no prediction")
    yield "complaint", str(complaint_id)
    yield "probability", repr(prediction["probability"])
    yield "scored at", f"{prediction['scored_at']:%Y-%m-%d %H:%M:%S} UTC"
    position = f" at {prediction['source_position']}" if prediction["source_position"] else ""
    yield "requested through", f"{prediction['source']}{position}, batch {prediction['batch_id']}"
    complaint = _one(reader, f"select * from {COMPLAINTS} where complaint_id = :id", complaint_id)
    if complaint is None:
        raise SolosolveError(f"the text of complaint {complaint_id} is not in {COMPLAINTS}")
    yield "source file", f"{complaint['_source_file']}, line {complaint['_source_line']}"
    yield "SHA-256 of the file", complaint["_source_sha256"]
    yield "landed at", f"{complaint['_ingested_at']:%Y-%m-%d %H:%M:%S} UTC"
    version = reader.version(COMPLAINTS)
    yield f"version of {COMPLAINTS}", str(version.number if version else None)
    model = Registry(settings).get(prediction["model_version"])
    yield "model", f"{model.name} version {model.version}, run {model.run_id}"
    yield "features", str(model.tags.feature_model_uri)
    yield "git commit", str(model.tags.git_commit)
    label = _one(reader, f"select * from {FEATURES} where complaint_id = :id", complaint_id) or {}
    yield "label", f"{label.get('is_successful_resolution')} from {label.get('label_source') or 'nowhere'}"
    yield from _contributions(settings, complaint, prediction)


def _contributions(
    settings: Settings, complaint: dict[str, Any], prediction: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    explained = ModelExplainer(settings).explain_fully(
        {name: complaint[name] for name in FILED_COLUMNS}, prediction["model_version"]
    )
    yield "contribution of the average", f"{explained.base:+.4f}"
    for name, effect in explained.effects[:_SHOWN]:
        yield f"contribution of {name}", f"{effect:+.4f}"
    rest = explained.effects[_SHOWN:]
    yield f"contribution of {len(rest)} others", f"{math.fsum(effect for _, effect in rest):+.4f}"
    yield "sum (log-odds)", f"{explained.base + math.fsum(effect for _, effect in explained.effects):+.4f}"
    same = "the same, to the bit" if explained.probability == prediction["probability"] else "another value"
    yield "scored again", f"{explained.probability!r}: {same}"


def _one(reader: DeltaReader, sql: str, complaint_id: int) -> dict[str, Any] | None:
    rows = reader.query(sql, {"id": complaint_id}).to_pylist()
    return rows[0] if rows else None
