# make demo and make test set up all they need; see README.md.
.DEFAULT_GOAL := help
.PHONY: help setup demo test faults lint bench screenshots clean

PYTHON ?= python3
ROWS ?= 50000
SEED ?= 7
DATA ?=
SOURCE ?= delta
SERVE ?= 1
export SOLOSOLVE_HOME ?= .solosolve

BIN := .venv/bin
SAMPLE := $(SOLOSOLVE_HOME)/landing/sample_18_$(ROWS)_$(SEED).csv
JOBS := medallion train_model request_scores score_stream score_batch
STREAM := --param request_scores.source=$(SOURCE) --param score_stream.source=$(SOURCE) --param available_now=true

help:  ## What there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: .venv/ready  ## Install the pinned versions, Spark's jars and its archived classes, once

.venv/ready: pyproject.toml constraints.txt bundle/spark-defaults.conf
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[local,dev]'
	$(BIN)/python -m solosolve.local.warm_up
	touch $@

demo: setup  ## Raw CSV to dashboard: DATA=complaints.csv, or ROWS=n of sample data; SOURCE=kafka; SERVE=0 does not serve
	$(if $(DATA),,$(BIN)/solosolve sample --rows $(ROWS) --seed $(SEED) --to "$(SAMPLE)")
	$(if $(filter kafka,$(SOURCE)),$(BIN)/solosolve kafka status >/dev/null 2>&1 || $(BIN)/solosolve kafka start)
	$(BIN)/solosolve run $(JOBS) --param "medallion.source=$(or $(DATA),$(SAMPLE))" $(STREAM)
	$(BIN)/solosolve report
	$(if $(filter 0,$(SERVE)),,$(BIN)/solosolve dashboard)

test: setup  ## Unit, contract and integration tests, and short fault drills
	$(BIN)/pytest

faults: setup  ## The fault drills in full: kills, a broken broker, poison, promotions (an hour)
	DRILLS=long $(BIN)/pytest tests/faults

lint: setup  ## Formatting, style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup  ## Measure, as ratios beside a peer in the same run; docs/benchmarks.md keeps the figures
	$(BIN)/pytest tests/bench -s

screenshots: setup  ## Make the dashboard's pictures in docs/ of what make demo made
	SCREENSHOTS="$(abspath $(SOLOSOLVE_HOME))" $(BIN)/pytest tests/browser -k screenshots

clean:  ## Remove what make demo made (tables, models, logs); .venv stays
	-[ ! -d "$(SOLOSOLVE_HOME)/kafka" ] || $(BIN)/solosolve kafka stop
	rm -rf $(SOLOSOLVE_HOME)
