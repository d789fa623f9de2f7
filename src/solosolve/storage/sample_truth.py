"""The true probabilities of made-up complaints, from the files that the generator writes next to its samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from solosolve.model.metrics import Floats
from solosolve.names import TRUTH_SUFFIX


def truth_files(source_files: Iterable[str]) -> list[Path]:
    """Where the truth of each landed file is, if the file is a sample.

    Args:
        source_files: `source_file` of `bronze.landings`.
    """
    return [Path(name).with_suffix(TRUTH_SUFFIX) for name in source_files]


def true_probabilities(files: Sequence[Path], ids: pa.ChunkedArray) -> Floats | None:
    """The probabilities of success that the outcomes of made-up complaints were drawn from.

    Args:
        files: Truth files; those that do not exist are left out.
        ids: Complaints.

    Returns:
        One probability per complaint, from 0 to 1; None if a complaint is not made up.
    """
    columns = ("complaint_id", "probability")
    truths = [pq.read_table(file, columns=list(columns)) for file in files if file.is_file()]
    if not truths:
        return None
    known_ids, probabilities = (pa.concat_tables(truths)[name].combine_chunks() for name in columns)
    places = pc.index_in(ids.combine_chunks(), value_set=known_ids)
    if places.null_count:
        return None
    found: Floats = probabilities.take(places).to_numpy()
    return found
