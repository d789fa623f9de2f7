"""Which rows of `bronze.inference_requests` ask the Delta stream for a score."""

from __future__ import annotations

from collections.abc import Collection

from solosolve.names import IS_TO_BE_SCORED, REQUESTS


def requests_to_score(columns: Collection[str]) -> str:
    """The requests of the Delta stream, as what a statement selects from: without those that another one only keeps.

    Args:
        columns: The table's columns. Tables of earlier releases have no other requests, and no `source`, until the
            stream has started once.
    """
    return f"(select * from {REQUESTS} where {IS_TO_BE_SCORED})" if "source" in columns else str(REQUESTS)
