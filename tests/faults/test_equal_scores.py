"""A complaint gets the same score, bit for bit, by batch and by every stream."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import xgboost as xgb
from pyspark.sql import SparkSession

from solosolve.flows import ingest_complaints, refine_complaints, request_scores, score_complaints
from solosolve.local.produce import produce, read_complaints
from solosolve.model.blend import Blend
from solosolve.model.encoder import FeatureEncoder
from solosolve.model.kernels import MonthOfYear, TextLength, TextPattern, TopCategories
from solosolve.model.linear import LinearScore
from solosolve.model.scorer import ComplaintScorer, Formula, as_raw_complaints
from solosolve.model.topics import fit_topics
from solosolve.model.word_kernels import HashedTerms
from solosolve.names import FILED_COLUMNS, NARRATIVE, REQUESTS_TOPIC
from support.builders import landing_csv
from support.drills import LONG
from support.live import Live

COMPLAINT_COUNT = 20_000 if LONG else 400

NARRATIVES = (
    "They lost my payment of {$1,234.56} on XX/XX/2019 twice.",
    "  It begins\tand ends with blanks.  \n",
    "First line\nsecond line\r\nthird \"quoted\", it's the bank's fault",
    "\u00dcber das Konto wei\u00df ich nichts \u2014 \u00bfqu\u00e9 pas\u00f3?",
    "\u4ed8\u6b3e\u4e22\u5931 \U0001f4b8\U0001f4b8",
    "\u0130stanbul \u017fee \ufb01le \u00c5ngstr\u00f6m A\u030angstr\u00f6m e\u0301 \u1e9e",
    'back\\slash \\n \\u0041 \\" /slash/ <b>&amp;</b> \u2028 \u2029 \u0085 \u00a0 \ufeff end',
    '\'\' " "" , ;; | {} [] $ % null N/A NaN',
    "\u202eright to left\u202c zero\u200bwidth \u200d joiner \u0001 control",
    "word " * 2_000,
    "X",
)
AWKWARD = {
    "sub_product": ("", "N/A", " Conventional fixed mortgage ", "\u00a0"),
    "issue": ("Loan servicing, payments, escrow account", "", '"Quoted"', "N/A ", "na\u00efve"),
    "sub_issue": ("", "Fees\tcharged", "N/A", "n/a"),
    "company": ("Acme Bank", ' \u00c9toile & Co., "N.A." ', "\u4e2d\u56fd\u94f6\u884c", "O'Neil\\Sons"),
    "state": ("CA", " NY", "ca", "UNITED STATES MINOR OUTLYING ISLANDS"),
    "zip_code": ("90001", "501", "1234", "900XX", "", "N/A", " 00601 ", "0", "\u0661\u0662\u0663"),
    "tags": ("", "Older American, Servicemember", "N/A"),
    "submitted_via": ("Web", "Referral ", "Postal\u00a0mail"),
}


def raw_complaint(number: int) -> dict[str, str]:
    """A complaint of unknown outcome as it is in the publisher's CSV."""
    chance = Random(number)
    return {name: chance.choice(values) for name, values in AWKWARD.items()} | {
        "complaint_id": str(number),
        "date_received": f"20{12 + number % 12}-{1 + number % 12:02}-{1 + number % 28:02}",
        NARRATIVE: f" {number} ".join(chance.choices(NARRATIVES, k=chance.randint(1, 4))),
        "company_response_to_consumer": "In progress",
        "consumer_disputed": "N/A",
    }


def sensitive_scorer() -> ComplaintScorer:
    """A model whose score depends on every character of every column."""
    texts = [name for name in FILED_COLUMNS if name not in ("date_received", NARRATIVE)]
    known = {
        name: tuple(sorted({value.strip(" \t\r\n") for value in AWKWARD.get(name, ("Mortgage",))})) for name in texts
    }
    topics = fit_topics(NARRATIVE, pa.array(NARRATIVES * 3), stop_words=(), size=8)
    assert topics is not None
    encoder = FeatureEncoder(
        kernels=(
            TextLength(column=NARRATIVE),
            MonthOfYear(column="date_received"),
            HashedTerms(column=NARRATIVE, size=64, stop_words=("it", "the")),
            topics,
            TextPattern(column=NARRATIVE, name="blanks", pattern=r"\s"),
            TextPattern(column=NARRATIVE, name="others", pattern=r"[^ -~]"),
            *(TopCategories(column=name, categories=values) for name, values in known.items()),
            *(TextPattern(column=name, name=f"{name}_length", pattern="(?s).") for name in texts),
        )
    )
    complaints = [{"product": "Mortgage"} | raw_complaint(number) for number in range(500)]
    filed = [{name: each[name] for name in FILED_COLUMNS} for each in complaints]
    rows = encoder.encode(as_raw_complaints(pa.Table.from_pylist(filed)))
    labels = np.random.default_rng(3).integers(0, 2, len(filed))
    parameters = {"objective": "binary:logistic", "max_depth": 8, "nthread": 1, "eta": 0.3, "colsample_bytree": 0.3}
    trees = xgb.train(parameters, xgb.DMatrix(rows, label=labels), num_boost_round=60)
    count = len(encoder.names)
    weights = np.random.default_rng(4).normal(0, 0.1, count) / (1 + rows.mean(axis=0))
    linear = LinearScore(
        places=tuple(range(count)), weights=tuple(weights.tolist()), means=(0.0,) * count, intercept=0.1
    )
    return ComplaintScorer(encoder, trees, Formula(linear=linear, blend=Blend(linear=0.6, trees=0.5)))


def probabilities(live: Live, source: str) -> list[tuple[int, float]]:
    rows = live.query(f"select complaint_id, probability from gold.predictions where source = '{source}'")
    return sorted((row["complaint_id"], row["probability"]) for row in rows)


def test_batch_and_both_streams_give_the_same_scores(
    live_of: Callable[[str], Live], spark: SparkSession, tmp_path: Path
) -> None:
    live = live_of("kafka")
    files = tmp_path / "sensitive"
    files.mkdir()
    made = sensitive_scorer()
    made.save(files)
    live.promote_files(files, made)
    csv = tmp_path / "awkward.csv"
    csv.write_text(landing_csv(*(raw_complaint(1 + each) for each in range(COMPLAINT_COUNT))), newline="")

    ingest_complaints.run(spark, live.settings, str(csv))
    assert refine_complaints.run(spark, live.settings).complaint_count == COMPLAINT_COUNT
    assert live.query("select count(*) as n from silver.complaints") == [{"n": COMPLAINT_COUNT}]
    # Requests waiting in one source do not count for the other, so both streams get all of them.
    for source in ("kafka", "delta"):
        assert request_scores.run(spark, live.settings, source, COMPLAINT_COUNT, share=1.0) == COMPLAINT_COUNT
    # And once more as the publisher wrote them, not as they are in silver.
    produced = produce(live.settings, REQUESTS_TOPIC, read_complaints(csv, REQUESTS_TOPIC))
    assert produced.message_count == COMPLAINT_COUNT

    assert score_complaints.run(spark, live.settings) == COMPLAINT_COUNT
    for source in ("delta", "kafka"):
        live.stream(source)
    assert live.query("select count(*) as n from bronze.dead_letters") == [{"n": 0}]
    by_batch = probabilities(live, "batch")
    assert len(by_batch) == COMPLAINT_COUNT
    assert len({probability for _, probability in by_batch}) > COMPLAINT_COUNT // 10
    assert probabilities(live, "delta") == by_batch
    assert probabilities(live, "kafka") == sorted(by_batch * 2)
