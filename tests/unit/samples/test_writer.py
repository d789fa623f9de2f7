"""The sample data: the published layout, the real base rates, and a truth that its outcomes were drawn with."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from solosolve.errors import UsageError
from solosolve.samples import phrases
from solosolve.samples.batches import REPUBLISHED_SHARE, build_batch
from solosolve.samples.calendar import load_calendar
from solosolve.samples.calibration import Conditional, read_figures
from solosolve.samples.companies import TAIL_PER_TOPIC, tail_name
from solosolve.samples.themes import THEMES
from solosolve.samples.writer import OFFICIAL_HEADERS, SampleSummary, write_sample
from support.real_data import REAL_DATA, needs_real_data

ROWS = 60_000
SUCCESSFUL = ["Closed with explanation", "Closed with monetary relief", "Closed with non-monetary relief"]
OFFICIAL_HEADER = (
    "Date received,Product,Sub-product,Issue,Sub-issue,Consumer complaint narrative,Company public response,Company,"
    "State,ZIP code,Tags,Consumer consent provided?,Submitted via,Date sent to company,Company response to consumer,"
    "Timely response?,Consumer disputed?,Complaint ID"
)


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> SampleSummary:
    return write_sample(tmp_path_factory.mktemp("sample") / "complaints.csv", rows=ROWS, seed=11)


@pytest.fixture(scope="module")
def records(summary: SampleSummary) -> pd.DataFrame:
    return pd.read_csv(summary.path, dtype=str, keep_default_na=False).rename(
        columns={header: name for name, header in OFFICIAL_HEADERS.items()}
    )


@pytest.fixture(scope="module")
def complaints(summary: SampleSummary, records: pd.DataFrame) -> pd.DataFrame:
    newest = records.drop_duplicates("complaint_id", keep="last").assign(
        complaint_id=lambda frame: frame["complaint_id"].astype("int64"),
        received=lambda frame: pd.to_datetime(frame["date_received"]),
        narrative=lambda frame: frame["consumer_complaint_narrative"],
        is_labelled=lambda frame: frame["consumer_disputed"].isin(["Yes", "No"]),
        is_success=lambda frame: (
            (frame["consumer_disputed"] == "No")
            & (frame["timely_response"] == "Yes")
            & frame["company_response_to_consumer"].isin(SUCCESSFUL)
        ),
    )
    return newest.merge(pd.read_parquet(summary.truth_path), on="complaint_id", validate="one_to_one")


@pytest.fixture(scope="module")
def trainable(complaints: pd.DataFrame) -> pd.DataFrame:
    return complaints[complaints["is_labelled"] & (complaints["narrative"] != "")]


@pytest.fixture(scope="module")
def many_labels() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and outcomes of about 40,000 trainable complaints, without writing them."""
    probability, is_success = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        batch = build_batch(rng, np.sort(rng.uniform(0.13, 0.26, 25_000)), 0)
        kept = batch.is_labelled & batch.has_narrative
        probability.append(batch.probability[kept])
        is_success.append(batch.is_success[kept])
    return np.concatenate(probability), np.concatenate(is_success)


def strict_records(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.reader(stream, strict=True)


def test_sample_same_seed_gives_same_bytes(tmp_path: Path) -> None:
    first = write_sample(tmp_path / "a.csv", rows=27_000, seed=3)
    second = write_sample(tmp_path / "b.csv", rows=27_000, seed=3)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.truth_path.read_bytes() == second.truth_path.read_bytes()


def test_sample_ids_are_above_real_ones_and_of_their_sample_only(tmp_path: Path) -> None:
    ids = [
        set(pd.read_csv(write_sample(tmp_path / f"{rows}_{seed}.csv", rows=rows, seed=seed).path)["Complaint ID"])
        for rows, seed in ((3000, 2), (3000, 3), (4000, 2))
    ]
    assert min(map(min, ids)) > 1_000_000_000
    assert max(map(max, ids)) < 2**53
    assert not (ids[0] & ids[1] or ids[0] & ids[2] or ids[1] & ids[2])


def test_sample_other_seed_gives_other_complaints(tmp_path: Path) -> None:
    first = write_sample(tmp_path / "a.csv", rows=500, seed=3)
    second = write_sample(tmp_path / "b.csv", rows=500, seed=4)
    assert first.path.read_bytes() != second.path.read_bytes()


def test_sample_leaves_two_whole_files_only(tmp_path: Path) -> None:
    summary = write_sample(tmp_path / "new" / "complaints.csv", rows=50, seed=1)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["complaints.csv", "complaints.truth.parquet"]
    assert summary.truth_path == tmp_path / "new" / "complaints.truth.parquet"


@pytest.mark.parametrize("rows", [1, 2, 30])
def test_sample_small_files_have_exact_rows(tmp_path: Path, rows: int) -> None:
    summary = write_sample(tmp_path / "complaints.csv", rows=rows, seed=5)
    assert len(list(strict_records(summary.path))) == rows + 1


@pytest.mark.parametrize(("name", "value"), [("rows", 0), ("seed", -1), ("layout", 17)])
def test_sample_refuses_wrong_value_by_name(tmp_path: Path, name: str, value: int) -> None:
    arguments = {"rows": 10, "seed": 1, "layout": 18} | {name: value}
    with pytest.raises(UsageError, match=f"{name}: found {value}, allowed"):
        write_sample(tmp_path / "complaints.csv", **arguments)  # type: ignore[arg-type]


def test_sample_reports_progress_up_to_rows(tmp_path: Path) -> None:
    seen: list[int] = []
    write_sample(tmp_path / "complaints.csv", rows=50_001, seed=1, progress=seen.append)
    assert seen == [25_000, 50_000, 50_001]


def test_sample_has_official_header_and_line_feeds(summary: SampleSummary) -> None:
    content = summary.path.read_bytes()
    assert content.split(b"\n", 1)[0].decode() == OFFICIAL_HEADER
    assert b"\r" not in content
    assert b"\0" not in content


def test_sample_is_rfc_4180(summary: SampleSummary) -> None:
    rows = list(strict_records(summary.path))
    assert len(rows) == ROWS + 1
    assert {len(row) for row in rows} == {18}
    assert sum(row[5].count("\n") for row in rows) > ROWS / 4
    assert sum('"' in row[5] for row in rows) > 1000


def test_sample_rewritten_by_csv_is_unchanged(summary: SampleSummary) -> None:
    again = io.StringIO(newline="")
    csv.writer(again, lineterminator="\n").writerows(strict_records(summary.path))
    assert again.getvalue().encode() == summary.path.read_bytes()


def test_layout_16_has_the_same_complaints_without_outcomes(tmp_path: Path) -> None:
    wide = write_sample(tmp_path / "wide.csv", rows=3000, seed=2)
    narrow = write_sample(tmp_path / "narrow.csv", rows=3000, seed=2, layout=16)
    withdrawn = ["Consumer consent provided?", "Consumer disputed?"]
    expected = pd.read_csv(wide.path, dtype=str, keep_default_na=False).drop(columns=withdrawn)
    pd.testing.assert_frame_equal(pd.read_csv(narrow.path, dtype=str, keep_default_na=False), expected)
    assert narrow.truth_path.read_bytes() == wide.truth_path.read_bytes()
    assert (narrow.label_count, narrow.trainable_count, narrow.oracle_auc, narrow.success_rate) == (0, 0, None, None)


def test_summary_counts_what_the_file_has(
    summary: SampleSummary, complaints: pd.DataFrame, trainable: pd.DataFrame
) -> None:
    assert summary.rows == ROWS
    assert summary.complaint_count == len(complaints)
    assert summary.label_count == complaints["is_labelled"].sum()
    assert summary.trainable_count == len(trainable)
    assert summary.success_rate == pytest.approx(trainable["is_success"].mean())
    exact_auc = roc_auc_score(trainable["is_success"], trainable["probability"])
    assert summary.oracle_auc == pytest.approx(exact_auc, abs=0.0005)


def test_truth_has_each_complaint_once(summary: SampleSummary, records: pd.DataFrame) -> None:
    truth = pd.read_parquet(summary.truth_path)
    assert truth.dtypes.astype(str).to_dict() == {"complaint_id": "int64", "probability": "float64"}
    assert sorted(truth["complaint_id"]) == sorted(records["complaint_id"].astype("int64").unique())
    assert truth["probability"].between(0, 1, inclusive="neither").all()


def test_truth_is_calibrated_in_every_decile(many_labels: tuple[np.ndarray, np.ndarray]) -> None:
    probability, is_success = many_labels
    for decile in np.array_split(np.argsort(probability), 10):
        expected = probability[decile]
        spread = np.sqrt((expected * (1 - expected)).sum())
        assert abs(is_success[decile].sum() - expected.sum()) < 4 * spread


def test_truth_has_realistic_strength(many_labels: tuple[np.ndarray, np.ndarray]) -> None:
    probability, is_success = many_labels
    assert roc_auc_score(is_success, probability) == pytest.approx(0.66, abs=0.02)
    assert is_success.mean() == pytest.approx(0.75, abs=0.012)


def test_signal_is_learnable_from_token_counts(trainable: pd.DataFrame) -> None:
    is_past = trainable["received"] < "2016-09-01"
    vectorizer = CountVectorizer(min_df=5)
    tokens = vectorizer.fit_transform(trainable.loc[is_past, "narrative"])
    model = LogisticRegression(C=0.01, max_iter=300).fit(tokens, trainable.loc[is_past, "is_success"])
    later = trainable[~is_past]
    scores = model.predict_proba(vectorizer.transform(later["narrative"]))[:, 1]
    assert np.corrcoef(scores, later["probability"])[0, 1] > 0.3


def test_signal_reaches_categories_without_narrative(complaints: pd.DataFrame) -> None:
    unwritten = complaints[complaints["is_labelled"] & (complaints["narrative"] == "")]
    assert roc_auc_score(unwritten["is_success"], unwritten["probability"]) > 0.6
    assert unwritten.groupby("issue")["probability"].mean().std() > 0.02


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_theme_owns_its_markers(theme) -> None:
    neutral = [
        *phrases.OPENINGS_REDACTED,
        *phrases.OPENINGS_PLAIN,
        *phrases.CLOSINGS,
        *phrases.GENERAL,
        *phrases.AMOUNTS,
        *phrases.QUOTED,
        *(sentence for sentences in phrases.BY_GROUP.values() for sentence in sentences),
        *(word for words in phrases.REMEDIES.values() for word in words),
    ]
    foreign = [*neutral, *(text for other in THEMES if other is not theme for text in other.sentences)]
    marker = re.compile(rf"\b({'|'.join(theme.markers)})\b", re.IGNORECASE)
    assert [text for text in theme.sentences if not marker.search(text)] == []
    assert [text for text in foreign if marker.search(text)] == []


def test_republished_complaints_end_with_their_final_record(records: pd.DataFrame) -> None:
    superseded = records[records.duplicated("complaint_id", keep="last")]
    assert len(superseded) == round(ROWS * REPUBLISHED_SHARE)
    assert set(superseded["company_response_to_consumer"]) == {"In progress"}
    assert (superseded["consumer_complaint_narrative"] == "").all()
    final = records[records["complaint_id"].isin(superseded["complaint_id"])].drop_duplicates(
        "complaint_id", keep="last"
    )
    assert (final["company_response_to_consumer"] != "In progress").mean() > 0.8
    kept = ["complaint_id", "company", "issue", "date_received"]
    assert sorted(map(tuple, final[kept].to_numpy())) == sorted(map(tuple, superseded[kept].to_numpy()))


# Expected: shares of all 2.96 million published complaints. Tolerances are about four standard errors here.
@pytest.mark.parametrize(
    ("subject", "expected", "tolerance"),
    [
        (lambda c: c["is_labelled"], 0.2590, 0.003),
        (lambda c: c["is_labelled"] & (c["narrative"] != ""), 0.0555, 0.004),
        (lambda c: c["narrative"] != "", 0.358, 0.012),
        (lambda c: c["submitted_via"] == "Web", 0.834, 0.02),
        (lambda c: c["submitted_via"] == "Referral", 0.080, 0.01),
        (lambda c: c["timely_response"] == "No", 0.012, 0.004),
        (lambda c: c["tags"].str.contains("Servicemember"), 0.056, 0.008),
        (lambda c: c["state"] == "CA", 0.12, 0.015),
        (lambda c: c["issue"] == "Incorrect information on your report", 0.244, 0.012),
        (lambda c: c["issue"] == "Loan modification,collection,foreclosure", 0.0378, 0.003),
        (lambda c: c["zip_code"].str.fullmatch(r"\d{3}XX"), 0.17, 0.02),
    ],
)
def test_share_of_all_complaints_follows_published(complaints: pd.DataFrame, subject, expected, tolerance) -> None:
    assert subject(complaints).mean() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(
    ("response", "expected", "tolerance"),
    [
        ("Closed with explanation", 0.212, 0.017),
        ("Closed with non-monetary relief", 0.116, 0.033),
        ("Closed with monetary relief", 0.106, 0.045),
        ("Untimely response", 0.0, 0.0),
    ],
)
def test_dispute_rate_follows_response(
    complaints: pd.DataFrame, response: str, expected: float, tolerance: float
) -> None:
    labelled = complaints[complaints["is_labelled"] & (complaints["company_response_to_consumer"] == response)]
    assert (labelled["consumer_disputed"] == "Yes").mean() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(
    ("first", "last", "expected", "tolerance"),
    [
        ("2012-01-01", "2013-12-31", 0.215, 0.03),
        ("2015-04-01", "2015-06-30", 0.217, 0.06),
        ("2016-01-01", "2016-12-31", 0.181, 0.027),
        ("2017-03-01", "2017-03-31", 0.137, 0.07),
        ("2017-04-01", "2017-04-22", 0.063, 0.07),
        ("2017-04-18", "2017-04-22", 0.010, 0.06),
    ],
)
def test_dispute_rate_decays_before_labels_end(
    complaints, first: str, last: str, expected: float, tolerance: float
) -> None:
    labelled = complaints[complaints["is_labelled"] & complaints["received"].between(first, last)]
    assert (labelled["consumer_disputed"] == "Yes").mean() == pytest.approx(expected, abs=tolerance)


def test_labels_end_in_april_2017(complaints: pd.DataFrame) -> None:
    assert complaints.loc[complaints["is_labelled"], "received"].max() < load_calendar().label_end
    later = complaints[complaints["received"] >= load_calendar().label_end]
    assert set(later["consumer_disputed"]) == {"N/A", ""}
    assert complaints[complaints["received"] < load_calendar().label_end]["is_labelled"].all()


def test_narratives_need_consent_asked_since_march_2015(complaints: pd.DataFrame) -> None:
    written = complaints[complaints["narrative"] != ""]
    assert written["received"].min() >= pd.Timestamp("2015-03-19")
    assert set(written["consumer_consent_provided"]) == {"Consent provided"}
    assert set(written["submitted_via"]) == {"Web"}


def test_products_are_renamed_on_their_days(complaints: pd.DataFrame) -> None:
    spans = complaints.groupby("product")["received"].agg(["min", "max"])
    assert spans.loc["Credit reporting", "max"] < pd.Timestamp("2017-04-24")
    middle = spans.loc["Credit reporting, credit repair services, or other personal consumer reports"]
    assert pd.Timestamp("2017-04-24") <= middle["min"] <= middle["max"] < pd.Timestamp("2023-08-25")
    assert spans.loc["Credit reporting or other personal consumer reports", "min"] >= pd.Timestamp("2023-08-25")


def test_newest_complaints_are_in_progress(complaints: pd.DataFrame) -> None:
    is_open = complaints["company_response_to_consumer"] == "In progress"
    newest = complaints["received"] >= "2023-09-10"
    assert is_open[newest].mean() > 0.85
    assert is_open[complaints["received"] < "2022-01-01"].sum() == 0


def test_dates_and_ids_ascend_together(records: pd.DataFrame, complaints: pd.DataFrame) -> None:
    ordered = complaints.sort_values("complaint_id")
    assert ordered["received"].is_monotonic_increasing
    assert records["date_received"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    assert (complaints["date_sent_to_company"] >= complaints["date_received"]).all()


@pytest.mark.parametrize(
    ("quantile", "expected", "tolerance"),
    [(0.25, 408, 0.12), (0.5, 776, 0.08), (0.75, 1333, 0.08), (0.95, 2877, 0.12)],
)
def test_narrative_length_follows_published(complaints, quantile: float, expected: float, tolerance: float) -> None:
    lengths = complaints.loc[complaints["narrative"] != "", "narrative"].str.len()
    assert lengths.quantile(quantile) == pytest.approx(expected, rel=tolerance)
    assert 10_000 < lengths.max() < 26_000


@pytest.mark.parametrize(
    ("pattern", "expected", "tolerance"),
    [
        ("XXXX", 0.79, 0.02),
        ("XX/XX/", 0.36, 0.03),
        (r"\{\$\d+\.\d\d\}", 0.27, 0.03),
        ("\n", 0.443, 0.02),
        ('"', 0.093, 0.012),
        (r"^[=+\-@]", 0.0009, 0.0009),
    ],
)
def test_narratives_contain_what_real_ones_do(complaints, pattern: str, expected: float, tolerance: float) -> None:
    written = complaints.loc[complaints["narrative"] != "", "narrative"]
    assert written.str.contains(pattern).mean() == pytest.approx(expected, abs=tolerance)


def test_tenth_of_narratives_are_exact_copies(complaints: pd.DataFrame) -> None:
    written = complaints.loc[complaints["narrative"] != "", "narrative"]
    assert 1 - written.nunique() / len(written) == pytest.approx(0.10, abs=0.02)
    assert written.value_counts().max() >= 20


def test_narratives_are_about_their_issue(complaints: pd.DataFrame) -> None:
    written = complaints[complaints["narrative"] != ""]
    is_mortgage = written["product"] == "Mortgage"
    speaks = written["narrative"].str.lower().str.contains("mortgage|home loan")
    assert speaks[is_mortgage].mean() > 0.6
    assert speaks[~is_mortgage].mean() < 0.01


def test_tail_names_are_distinct_and_not_among_the_real() -> None:
    topics = read_figures("taxonomy")["topics"]
    names = [tail_name(topic, rank) for topic in topics for rank in range(TAIL_PER_TOPIC)]
    assert len(set(names)) == len(names)
    assert not set(names) & set(read_figures("people")["companies"])


def test_every_issue_of_a_period_has_combinations() -> None:
    figures, calendar = read_figures("taxonomy"), load_calendar()
    eras = calendar.taxonomies.at(calendar.periods.starts)
    missing = [
        (str(start), figures["issues"][issue])
        for start, era, pairs in zip(calendar.periods.starts, eras, figures["issues_by_period"], strict=True)
        for issue in pairs[::2]
        if not figures["combinations"][era][issue]
    ]
    assert missing == []


def test_conditional_draws_only_its_conditions_codes() -> None:
    conditional = Conditional.of([([7, 8], [1.0, 3.0]), ([], []), ([9], [2.0])])
    drawn = conditional.draw(np.random.default_rng(1), np.repeat([0, 2], 4000))
    assert set(drawn[:4000]) == {7, 8}
    assert (drawn[:4000] == 8).mean() == pytest.approx(0.75, abs=0.03)
    assert set(drawn[4000:]) == {9}


@needs_real_data
def test_labelled_period_follows_real_counts(complaints: pd.DataFrame) -> None:
    counts = pd.read_csv(REAL_DATA / "outcome_counts_by_month.csv.gz", parse_dates=["m"], keep_default_na=False)
    counts = counts[counts["consumer_disputed"].isin(["Yes", "No"])]
    labelled = complaints[complaints["is_labelled"]]
    real = counts.groupby(counts["m"].dt.to_period("Q"))["n"].sum() / counts["n"].sum()
    made = labelled["received"].dt.to_period("Q").value_counts(normalize=True)
    assert (real - made.reindex(real.index, fill_value=0)).abs().max() < 0.001
    real_issue = counts.groupby("issue")["n"].sum() / counts["n"].sum()
    made_issue = labelled["issue"].value_counts(normalize=True).reindex(real_issue.index, fill_value=0)
    assert (real_issue - made_issue).abs().sum() < 0.1
