# make demo and make test install everything they need; see README.md.
.DEFAULT_GOAL := help
.PHONY: help setup demo cluster-demo test faults lint bench deploy screenshots recording clean

PYTHON ?= python3
ROWS ?= 50000
SEED ?= 7
DATA ?=
SOURCE ?= delta
SERVE ?= 1
SHIFT ?= 0
TARGET ?= dev
VARS ?=
SPARK_4_0 := .venv/spark-4.0
S3_SERVER := .venv/s3-server
SPARK_CONNECT := .venv/spark-connect
export SOLOSOLVE_HOME ?= .solosolve

BIN := .venv/bin
SAMPLE := $(SOLOSOLVE_HOME)/landing/sample_18_$(ROWS)_$(SEED).csv
JOBS := medallion train_model request_scores score_stream score_batch
LIVE := live --source $(SOURCE) $(if $(filter 1,$(SHIFT)),--shift)
STREAM := --param request_scores.source=$(SOURCE) --param score_stream.source=$(SOURCE) --param available_now=true

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: .venv/ready  ## Install the pinned versions and Spark's jars, and archive Spark's classes; once

.venv/ready: pyproject.toml constraints.txt bundle/spark-defaults.conf
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[local,dev]'
	$(BIN)/python -m solosolve.cli.warm_up
	touch $@

demo: setup  ## From raw CSV to a page that moves: DATA=complaints.csv or ROWS=n sample rows, SOURCE=delta|kafka, SHIFT=1, SERVE=0
	$(if $(DATA),,$(BIN)/solosolve sample --rows $(ROWS) --seed $(SEED) --to "$(SAMPLE)")
	$(if $(filter kafka,$(SOURCE)),$(BIN)/solosolve kafka status >/dev/null 2>&1 || $(BIN)/solosolve kafka start)
	$(BIN)/solosolve run $(JOBS) --param "medallion.source=$(or $(DATA),$(SAMPLE))" $(STREAM)
	$(BIN)/solosolve report
	$(if $(filter 0,$(SERVE)),,$(BIN)/solosolve $(if $(DATA),dashboard,$(LIVE)))

cluster-demo: setup  ## The jobs on a Spark cluster of two workers on this machine, compared with local[*]: ROWS=n
	rm -rf build "$(SOLOSOLVE_HOME)/wheel"
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir "$(SOLOSOLVE_HOME)/wheel" .
	$(BIN)/python -m solosolve.cli.cluster_demo --rows $(if $(filter file,$(origin ROWS)),20000,$(ROWS)) --wheel "$(SOLOSOLVE_HOME)"/wheel/*.whl

# The Spark of the platform's long-term runtime, beside the environment's own.
$(SPARK_4_0): .venv/ready
	$(BIN)/pip install --quiet --no-deps --target $@.part pyspark==4.0.1 delta-spark==4.0.0 py4j==0.10.9.9
	mv $@.part $@

# The store of the drills: Moto's S3 server. Flask and the like are in the environment already.
$(S3_SERVER): .venv/ready
	$(BIN)/pip install --quiet --no-deps --target $@.part moto==5.2.5 boto3==1.44.8 botocore==1.44.8 s3transfer==0.19.3 \
		jmespath==1.1.0 responses==0.26.3 xmltodict==1.0.4 py-partiql-parser==0.6.3
	mv $@.part $@

# What a client of Spark Connect needs.
$(SPARK_CONNECT): .venv/ready
	$(BIN)/pip install --quiet --no-deps --target $@.part grpcio==1.85.3 grpcio-status==1.85.3 \
		googleapis-common-protos==1.76.0 zstandard==0.25.0
	mv $@.part $@

test: setup $(SPARK_4_0)  ## Run unit, contract, browser and integration tests, and short fault drills
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

faults: setup $(SPARK_4_0) $(S3_SERVER) $(SPARK_CONNECT)  ## Run the full drills: kills, poison, a lost worker, S3, Spark Connect, a million complaints (over an hour)
	DRILLS=long $(BIN)/pytest tests/faults tests/platform
	SPARK_CONNECT="local[2]" PYTHONPATH=$(SPARK_CONNECT) $(BIN)/pytest tests/unit/transforms tests/platform/test_spark_connect.py

lint: setup  ## Check formatting, style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup  ## Measure against a peer in the same run and print the ratios; docs/benchmarks.md keeps the figures
	$(BIN)/pytest tests/bench -s

deploy: setup  ## Check the bundle, build the wheel and deploy: TARGET=dev|staging|prod, VARS="--var name=value"
	$(BIN)/solosolve bundle check --target $(TARGET)
	PATH="$(abspath $(BIN)):$$PATH" databricks bundle deploy --target $(TARGET) $(VARS)

screenshots: setup  ## Take the dashboard's screenshots in docs/ from the results of make demo
	SCREENSHOTS="$(abspath $(SOLOSOLVE_HOME))" $(BIN)/pytest tests/browser -k screenshots

recording: setup  ## Record docs/live.gif: the page moving, on a copy of the results of make demo
	RECORDING="$(abspath $(SOLOSOLVE_HOME))" $(BIN)/pytest tests/browser -k recording

clean:  ## Remove the results of make demo (tables, models, logs), but not .venv
	-[ ! -d "$(SOLOSOLVE_HOME)/kafka" ] || $(BIN)/solosolve kafka stop
	rm -rf $(SOLOSOLVE_HOME)
