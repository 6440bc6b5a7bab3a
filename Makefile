# `make help` lists what there is. Python 3.11+ and a package index are all that must be there before.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export WELD_REAL_DATA
# Images of containers often forbid bytecode; every command, and every test process, would then compile its imports anew.
unexport PYTHONDONTWRITEBYTECODE

# Runs a part of `make check` and says how long it took.
timed = @began=$$(date +%s); set -e; $(1); printf '%-12s %4d s\n' $@ $$(($$(date +%s) - began))

.DEFAULT_GOAL := help
.PHONY: help setup run test check format lint types contracts docs viz mlflow bench lock clean-data

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY) ## make .venv and install the locked versions into it
	@$(BIN)/python -m compileall -q src

# uv is installed by pip once, at the locked version; it then installs everything else in parallel.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("make: %s is Python %d.%d; 3.11 or newer is needed: make PYTHON=python3.12 …" % (sys.executable, v[0], v[1]))'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.lock | cut -d';' -f1)"
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

run: setup ## draw the sample if there is no footage yet, then run every family in minutes
	@if ! ls data/01_raw/* >/dev/null 2>&1 || grep -qs '"is_finished": false' data/01_raw/*/DRAWN.json; then \
		$(BIN)/kedro run --pipeline=sample_data; fi
	$(BIN)/kedro run --env=quick_test

test: setup ## run the tests (set WELD_REAL_DATA to a folder of real data to include those)
	$(call timed,OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder)

check: format-check lint types contracts docs test ## everything CI asks for, tests included

format: setup ## format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix-only --quiet

.PHONY: format-check
format-check: setup
	$(call timed,$(BIN)/ruff format --check --quiet)

lint: setup ## ruff, and notebooks without outputs
	$(call timed,$(BIN)/ruff check --quiet; $(BIN)/nbstripout --verify notebooks/*.ipynb)

types: setup ## mypy
	$(call timed,$(BIN)/mypy)

contracts: setup ## which room may import which
	$(call timed,$(BIN)/lint-imports --no-logo)

docs: setup ## build the documentation site, strictly
	$(call timed,NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet)

viz: setup ## lineage in the browser
	$(BIN)/kedro viz run

mlflow: setup ## experiment review in the browser
	$(BIN)/mlflow ui --backend-store-uri sqlite:///mlflow.db --app-name weld

bench: setup ## quick forms of all benchmarks
	$(BIN)/python -m benchmarks --quick

lock: ## renew the lock of exact versions from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade --no-header --no-annotate --quiet --output-file requirements.lock

clean-data: ## remove everything that can be made again (01_raw and pretrained weights stay)
	find data/0[2-9]_* -mindepth 1 -not -name .gitkeep -not -path 'data/06_models/pretrained*' -delete
	rm -rf data/categories
