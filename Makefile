# Everything a contributor types. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
# Leaving bytecode to the first import halves the time of an installation.
SIDE_BY_SIDE := $(BIN)/python -m pytest -n logical --dist loadfile

.PHONY: help setup demo test lint types bench docs system
.DEFAULT_GOAL := help

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.setup ## create .venv with tagline (editable) and all that development needs

demo: $(VENV)/.demo ## train on 25,000 movie reviews, then judge a sentence
	$(BIN)/tagline train --out runs/demo
	$(BIN)/tagline predict runs/demo/model "A quiet masterpiece: I was moved to tears."
	@echo "The report is in runs/demo/report.html: open it in a browser."

test: setup system lint types ## what CI runs: lint, types, then the tests, fast ones first
	$(SIDE_BY_SIDE) -m "not slow and not alone and not original_data"
	$(SIDE_BY_SIDE) -m "slow and not alone and not original_data"
	$(BIN)/python -m pytest -m "alone and not original_data"

lint: setup ## formatting, style, and which module may import which
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: setup ## mypy, strict
	$(BIN)/mypy

bench: setup ## measure against fastText and scikit-learn, and the service under load (minutes; hours with TAGLINE_DATA)
	@$(call installed,wrk:wrk)
	$(BIN)/python benchmarks/imdb.py
	$(BIN)/python benchmarks/predict.py
	$(BIN)/python benchmarks/dev_sets.py
	$(BIN)/python benchmarks/tutorials.py --seeds 1
	$(BIN)/python benchmarks/serve.py
	$(BIN)/python benchmarks/migration.py
	$(BIN)/python benchmarks/tune.py

docs: setup ## check the links, commands and Python examples of README.md and docs/
	$(BIN)/python -m pytest -m "not original_data" tests/test_docs.py

# What pip cannot bring: for the tests a browser to drive, a unit to verify, a certificate to make; a load for a benchmark.
system:
	@$(call installed,chromium:chromium systemd-analyze:systemd openssl:openssl)

# $(call installed,COMMAND:PACKAGE ...): install the packages whose commands are not there.
installed = missing=; for part in $(1); do \
	  command -v $${part%:*} >/dev/null || missing="$$missing $${part\#*:}"; done; \
	[ -z "$$missing" ] || { \
	  echo "Installing$$missing ..." >&2; \
	  if [ "$$(id -u)" = 0 ]; then as=; else as="sudo -n"; fi; \
	  { $$as apt-get update -qq && $$as apt-get install -y -qq --no-install-recommends $$missing; } >/dev/null 2>&1; } || { \
	  echo "error: this needs$$missing, which could not be installed: run 'sudo apt-get install$$missing'." >&2; exit 1; }

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: tagline needs Python 3.11 or newer and '$(PYTHON)' is not; name one that is: make PYTHON=python3.12 setup" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

# A stamp is older than what it was made from when there is something to install.
$(VENV)/.setup: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing tagline and its development tools into $(VENV) (a minute, for PyTorch is large) ..." >&2
	@$(PIP_INSTALL) -e '.[samples,xlsx,dev]'
	@touch $(VENV)/.demo $@

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing tagline and its sample data into $(VENV) (about a quarter of a minute) ..." >&2
	@$(PIP_INSTALL) -e '.[samples]'
	@touch $@
