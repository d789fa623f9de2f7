"""Hashed term counts: the project's kernel compared with the three Spark ML stages that define them."""

from __future__ import annotations

from pathlib import Path

import pyarrow.csv as pacsv
from pyspark.ml import Pipeline
from pyspark.ml.feature import HashingTF, RegexTokenizer, StopWordsRemover
from pyspark.sql import SparkSession

from bench.conftest import median_seconds
from bench.figures import Figures
from solosolve.model.encoder import FeatureEncoder
from solosolve.model.features import EncodeFeatures
from solosolve.model.word_kernels import HashedTerms


def test_speed_of_hashed_terms_compared_with_spark_ml(spark: SparkSession, million_csv: Path, figures: Figures) -> None:
    options = pacsv.ConvertOptions(include_columns=["Consumer complaint narrative"])
    texts = pacsv.read_csv(
        million_csv, parse_options=pacsv.ParseOptions(newlines_in_values=True), convert_options=options
    )
    texts = texts.rename_columns(["consumer_complaint_narrative"])
    narratives = spark.createDataFrame(texts).where("consumer_complaint_narrative != ''").repartition(4).cache()
    count = narratives.count()
    stop_words = StopWordsRemover.loadDefaultStopWords("english")
    kernel = HashedTerms(column="consumer_complaint_narrative", size=512, stop_words=tuple(stop_words))
    kernel_stage = EncodeFeatures(encoderJson=FeatureEncoder(kernels=(kernel,)).model_dump_json())
    spark_stages = Pipeline(
        stages=[
            RegexTokenizer(inputCol=kernel.column, outputCol="words", pattern="[^a-z']+", minTokenLength=2),
            StopWordsRemover(inputCol="words", outputCol="kept", stopWords=stop_words),
            HashingTF(inputCol="kept", outputCol="terms", numFeatures=512),
        ]
    ).fit(narratives)
    ours = median_seconds(lambda: kernel_stage.transform(narratives).write.format("noop").mode("overwrite").save())
    theirs = median_seconds(lambda: spark_stages.transform(narratives).write.format("noop").mode("overwrite").save())
    print(
        f"\nhashing the terms of {count:,} narratives: kernel {ours:.1f} s, Spark ML {theirs:.1f} s; "
        f"the kernel is {theirs / ours:.2f} times as fast"
    )
    figures.add(
        f"hashed words of {count:,} narratives", f"{ours:.1f} s", f"Spark ML's three stages: {theirs:.1f} s",
        theirs / ours, "at least 4 times as fast",
    )  # fmt: skip
