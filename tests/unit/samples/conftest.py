"""One sample of 60,000 records for all tests of the generator, read in four ways."""

from __future__ import annotations

import pandas as pd
import pytest

from solosolve.samples.writer import OFFICIAL_HEADERS, SampleSummary, write_sample

SUCCESSFUL_RESPONSES = ["Closed with explanation", "Closed with monetary relief", "Closed with non-monetary relief"]


@pytest.fixture(scope="session")
def summary(tmp_path_factory: pytest.TempPathFactory) -> SampleSummary:
    return write_sample(tmp_path_factory.mktemp("sample") / "complaints.csv", rows=60_000, seed=11)


@pytest.fixture(scope="session")
def records(summary: SampleSummary) -> pd.DataFrame:
    """Every record of the CSV, as text, under snake_case column names."""
    return pd.read_csv(summary.path, dtype=str, keep_default_na=False).rename(
        columns={header: name for name, header in OFFICIAL_HEADERS.items()}
    )


@pytest.fixture(scope="session")
def complaints(summary: SampleSummary, records: pd.DataFrame) -> pd.DataFrame:
    """The final record of every complaint, with its true probability of success."""
    final = records.drop_duplicates("complaint_id", keep="last").assign(
        complaint_id=lambda frame: frame["complaint_id"].astype("int64"),
        received=lambda frame: pd.to_datetime(frame["date_received"]),
        narrative=lambda frame: frame["consumer_complaint_narrative"],
        is_labelled=lambda frame: frame["consumer_disputed"].isin(["Yes", "No"]),
        is_success=lambda frame: (
            (frame["consumer_disputed"] == "No")
            & (frame["timely_response"] == "Yes")
            & frame["company_response_to_consumer"].isin(SUCCESSFUL_RESPONSES)
        ),
    )
    return final.merge(pd.read_parquet(summary.truth_path), on="complaint_id", validate="one_to_one")


@pytest.fixture(scope="session")
def trainable(complaints: pd.DataFrame) -> pd.DataFrame:
    """Complaints with a published outcome and a narrative."""
    return complaints[complaints["is_labelled"] & (complaints["narrative"] != "")]
