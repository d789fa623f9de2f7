"""The requests that no table had: each is kept in `bronze.inference_requests`, with its prediction."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from solosolve.names import PREDICTIONS, REQUESTS
from solosolve.storage.tables import Tables, Transaction
from solosolve.transforms.multisets import subtract

KEPT_NOTE = "kept with their predictions"
"""Marks a commit of `bronze.inference_requests` that asks the Delta stream for no score."""

_REQUEST = ("source_position", "complaint_id", "requested_at")
"""What a prediction and its kept request have in common, besides the source."""


def keep(tables: Tables, requests: DataFrame, transaction: Transaction | None) -> None:
    """Appends requests of KEPT_SOURCES in one commit."""
    tables.append(REQUESTS, requests, transaction, note=KEPT_NOTE)


def select_unkept(tables: Tables, requests: DataFrame, new_predictions: DataFrame, source: str) -> DataFrame:
    """Selects the requests of a batch to keep after an earlier attempt at it: those that have a prediction only.

    A difference of multisets, because a topic that was recreated has the same positions again. A prediction whose
    message is refused by now, because the limit on its size was lowered in between, stays without its request.

    Args:
        tables: The tables.
        requests: The batch's requests, as rows of `bronze.inference_requests`; no two share a position.
        new_predictions: The batch's predictions that are not in `gold.predictions` yet.
        source: Where they come from.

    Returns:
        Rows of `bronze.inference_requests`.
    """
    predicted, kept = (tables.read(table).where(F.col("source") == source) for table in (PREDICTIONS, REQUESTS))
    predicted = predicted.select(*_REQUEST).unionByName(new_predictions.select(*_REQUEST))
    place = list(_REQUEST[:2])
    # Of all that is kept, too: the difference would shuffle it.
    of_batch, kept_of_batch = (
        rows.join(requests.select(*place), on=place, how="left_semi") for rows in (predicted, kept)
    )
    # The time is the prediction's: a message with an impossible one has another each time it is read.
    return subtract(of_batch, kept_of_batch, *_REQUEST).join(requests.drop("requested_at"), on=place, how="inner")
