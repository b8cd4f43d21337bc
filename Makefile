# Mycelia: every target is one short recipe, so that you can read what it does and type it yourself.
# Nothing but Python 3.11 or newer and make has to be installed; the rest goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
# Stamps: made anew when pyproject.toml changes, since it names what is installed.
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
# pyright asks the network for its newest version on every run unless told not to.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow lint format types vectors vectors-check check bench year hostile clean

help: ## show this list
	@echo "usage: make TARGET"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

setup: $(DEV) ## make .venv and install mycelia with its development tools into it

demo: $(RUNTIME) ## run 30 real nodes through an outage along the river, and heal it
	@$(BIN)/mycelia sim run river-split

test: $(DEV) ## run the tests (under 4 minutes on 2 cores)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

test-slow: $(DEV) ## run the tests that `make test` leaves out for their length
	$(BIN)/python -m pytest -m slow

lint: $(DEV) ## check style, format and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

format: $(DEV) ## put the code into the one format, and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(DEV) ## check types with mypy and pyright
	$(BIN)/mypy
	$(BIN)/pyright

vectors: $(DEV) ## write tests/vectors/*.json anew
	$(BIN)/python tests/vectors/make_vectors.py

vectors-check: $(DEV) ## fail if tests/vectors/*.json are not what the code writes
	$(BIN)/python tests/vectors/make_vectors.py --check

check: lint types vectors-check test ## everything that CI checks

bench: $(DEV) ## measure Mycelia beside other systems, which it fetches: 40 minutes, or BENCH="--quick": 3
	$(BIN)/python bench/run.py $(BENCH)

year: $(DEV) ## measure what a made-up year of 300 collectives costs one node, or YEAR="--days 30"
	$(BIN)/python bench/year.py $(YEAR)

hostile: $(DEV) ## measure what a slow peer, a flood and half a frame cost daemons, or HOSTILE="flood"
	$(BIN)/python bench/hostile.py $(HOSTILE)

clean: ## remove .venv, caches and build output (run folders stay)
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find protocol node sim tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the virtual environment ---

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Mycelia needs Python 3.11 or newer; \`$(PYTHON)\` is: $$($(PYTHON) --version 2>&1 | head -n 1)." >&2; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "On Debian and Ubuntu, \`apt install python3-venv\` brings what is missing." >&2; exit 1; }

$(RUNTIME): pyproject.toml | $(BIN)/python
	@echo "Installing mycelia and the 4 libraries it needs into $(VENV) (some seconds, once) ..."
	@$(PIP) -e .
	@touch $@

$(DEV): pyproject.toml | $(BIN)/python
	@echo "Installing mycelia and its development tools into $(VENV) (about 20 seconds, once) ..."
	@$(PIP) -e '.[dev]'
	@touch $(RUNTIME) $@
