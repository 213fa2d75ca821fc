# Commands for development. `make` lists them.

PYTHON ?= python3
VENV := .venv
CYTHON := $(shell find src -name '*.pyx' -o -name '*.pxd' -o -name '*.h')
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
# `--no-compile` halves the time of an installation: bytecode is written at the first import.
# Files keep the order of tests/conftest.py, which starts those with slow tests first. Workers have one thread each:
# those of OpenMP wait in a loop, which doubled the time of a round.
PARALLEL_TESTS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder

.PHONY: help setup extensions demo test together fast lint types bench kill soak fuzz sanitize docs site audit sbom system
.DEFAULT_GOAL := help

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.setup ## create .venv with tagline (editable) and the development tools

extensions: ## compile what was changed in the Cython sources
	TAGLINE_REQUIRE_COMPILED=1 $(BIN)/python setup.py -q build_ext --inplace

demo: $(VENV)/.demo ## train on 25,000 film reviews, then classify a sentence
	$(BIN)/tagline train --out runs/demo
	$(BIN)/tagline predict runs/demo/model "A quiet masterpiece: I was moved to tears."
	@echo "The report is in runs/demo/report.html: open it in a browser."

test: setup system lint ## what CI runs: lint, types, all tests
	@$(MAKE) --no-print-directory -j2 types together # mypy takes a minute of one core, and the tests leave some idle
	$(BIN)/python -m pytest -m "alone and not original_data" $$(grep -rl 'mark\.alone' tests --include='*.py')

together: setup
	$(PARALLEL_TESTS) -m "not alone and not original_data"

fast: setup ## the fast tests
	$(PARALLEL_TESTS) -m "not slow and not original_data"

lint: setup ## formatting, style and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: setup ## mypy, strict
	$(BIN)/mypy

bench: setup ## compare with fastText and scikit-learn, load-test the service (minutes; hours with TAGLINE_DATA)
	@$(call installed,wrk:wrk)
	$(BIN)/python benchmarks/imdb.py
	$(BIN)/python benchmarks/predict.py
	$(BIN)/python benchmarks/dev_sets.py
	$(BIN)/python benchmarks/tutorials.py --seeds 1
	$(BIN)/python benchmarks/serve.py
	$(BIN)/python benchmarks/migration.py
	$(BIN)/python benchmarks/tune.py

kill: setup ## kill commands at random moments, start them again, and compare the results
	$(BIN)/python benchmarks/kill.py

soak: setup ## half an hour of mixed traffic against the service at its limits
	$(BIN)/python benchmarks/soak.py

FUZZ_MINUTES ?= 60
fuzz: $(VENV)/.fuzz ## damaged and made-up files, models and requests for FUZZ_MINUTES (60)
	$(BIN)/python benchmarks/fuzz.py --minutes $(FUZZ_MINUTES)

# Extensions with AddressSanitizer and UndefinedBehaviorSanitizer, beside the Python files, and the tests that reach them.
# `--force`, because the copies of extensions that `make extensions` built are newer than their sources.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -g
SANITIZED = LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so)" \
  ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc PYTHONPATH=build/sanitize $(BIN)/python
sanitize: setup ## the fast tests of what is compiled, with bounds and undefined behaviour checked
	@rm -rf build/sanitize && mkdir -p build/sanitize && cp -r src/tagline build/sanitize/
	TAGLINE_REQUIRE_COMPILED=1 CFLAGS="$(SANITIZE)" LDFLAGS="$(SANITIZE)" $(BIN)/python setup.py -q build_ext --force \
	  --build-lib build/sanitize --build-temp build/sanitize/objects
	$(SANITIZED) -c 'from tagline.compiled import COMPILED; assert COMPILED'
	$(SANITIZED) -m pytest --capture=no \
	  -m "not slow and not alone and not original_data" tests/features tests/models tests/calibration tests/classifier tests/golden

docs: setup ## check the links, commands and Python examples of README.md and docs/
	$(BIN)/python -m pytest -m "not original_data" tests/docs

site: setup ## build the documentation site in site/, with the reference of the Python API and the commands
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "The site is in site/: run '$(BIN)/python -m http.server --directory site', then open http://127.0.0.1:8000."

audit: ## look for known vulnerabilities in the versions of constraints.txt
	@$(PYTHON) .ci/audit.py

sbom: setup ## list what tagline needs at run time in sbom.json (CycloneDX)
	@$(BIN)/python .ci/sbom.py sbom.json

# System packages that tests use: a browser, systemd-analyze to verify the unit, openssl to make a certificate.
system:
	@$(call installed,chromium:chromium systemd-analyze:systemd openssl:openssl)

# $(call installed,COMMAND:PACKAGE ...): install the packages of missing commands.
installed = missing=; for part in $(1); do \
	  command -v $${part%:*} >/dev/null || missing="$$missing $${part\#*:}"; done; \
	[ -z "$$missing" ] || { \
	  echo "Installing$$missing ..." >&2; \
	  if [ "$$(id -u)" = 0 ]; then as=; else as="sudo -n"; fi; \
	  { $$as apt-get update -qq && $$as apt-get install -y -qq --no-install-recommends $$missing; } >/dev/null 2>&1; } || { \
	  echo "error: could not install$$missing. Run 'sudo apt-get install$$missing'." >&2; exit 1; }

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: tagline needs Python 3.11 or newer, and '$(PYTHON)' is older or missing. Run 'make PYTHON=python3.12 setup'." >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

# Stamp files: an installation runs again when a dependency file or a source of the compiled extensions is newer.
$(VENV)/.setup: pyproject.toml constraints.txt setup.py $(CYTHON) | $(BIN)/python
	@echo "Installing tagline and its development tools into $(VENV) (about a minute; PyTorch is large) ..." >&2
	@$(PIP_INSTALL) -e '.[samples,xlsx,dev]'
	@touch $(VENV)/.demo $@

$(VENV)/.fuzz: $(VENV)/.setup
	@$(PIP_INSTALL) -e '.[fuzz]'
	@touch $@

$(VENV)/.demo: pyproject.toml constraints.txt setup.py $(CYTHON) | $(BIN)/python
	@echo "Installing tagline and its sample data into $(VENV) (about 15 seconds) ..." >&2
	@$(PIP_INSTALL) -e '.[samples]'
	@touch $@
