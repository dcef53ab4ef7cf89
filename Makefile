# Everything runs in .venv, made from requirements.lock. Paths are relative, so that the folder's own path may hold spaces.
# The first of these that is Python 3.11 or later makes .venv.
PYTHON ?= python3 python3.11 python3.12 python3.13
SHELL := /bin/sh
BIN := .venv/bin
INSTALLED := .venv/.installed

# DVC starts the stages with the `python` that it finds first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := true
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install repro test lint fix bench bench-long bench-accuracy bench-review bench-incremental bench-trials lock ui clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 20

install: $(INSTALLED) ## make .venv with the locked versions

$(INSTALLED): requirements.lock pyproject.toml
	@test -x $(BIN)/python || { \
		for python in $(PYTHON); do \
			$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && $$python -m venv .venv && exit; \
		done; \
		echo "Python 3.11 or later is needed; tried: $(PYTHON). Name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing the locked versions into .venv (a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(INSTALLED)

repro: $(INSTALLED) ## run the whole pipeline: findings of every document
	@$(BIN)/python -m dvc repro
	@echo
	@echo "Findings: data/findings/index.html (read), data/findings/findings.csv and .parquet (tables)"
	@echo "MLflow:   $(BIN)/findings ui"

test: $(INSTALLED) ## run the whole test suite
	@$(BIN)/python -m pytest

lint: $(INSTALLED) ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fix: $(INSTALLED) ## mend style where that can be done by machine
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(INSTALLED) ## measure speed and memory (needs a folder of reports)
	@$(BIN)/python benchmarks/run.py

bench-long: $(INSTALLED) ## measure 1,600 reports, and the plain way (takes minutes)
	@$(BIN)/python benchmarks/run.py --long

bench-accuracy: $(INSTALLED) ## measure accuracy beside other methods (needs data/dataset)
	@$(BIN)/python benchmarks/accuracy.py

bench-review: $(INSTALLED) ## measure what the review queue is worth beside random answers
	@$(BIN)/python benchmarks/review.py

bench-incremental: $(INSTALLED) ## measure `dvc repro` from nothing and after one new report (needs a folder of reports)
	@$(BIN)/python benchmarks/run.py incremental

bench-trials: $(INSTALLED) ## cross-validate features of the linear model (needs public labels)
	@$(BIN)/python benchmarks/trials.py

lock: ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-header --quiet --output-file requirements.lock

ui: $(INSTALLED) ## open the MLflow UI
	@$(BIN)/findings ui

clean: ## delete .venv and what tools leave behind (no data)
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
