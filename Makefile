# `make` alone prints what there is. `demo` and `test` do all the set-up they need.
.DEFAULT_GOAL := help
SHELL := /bin/sh

# The first Python that is new enough; `make PYTHON=/path/to/python demo` takes another.
PYTHON ?= $(firstword $(foreach name,python3.12 python3.11 python3.13 python3,$(shell \
	$(name) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && command -v $(name))))
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
DASHBOARD := $(shell find dashboard -name node_modules -prune -o -type f -print 2>/dev/null)

# Compiled while installing, as pip does: else the first start would take the time for it.
ifdef UV
install = VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip install --quiet --compile-bytecode
else
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

.PHONY: help setup demo test check audit format bench chaos generated requirements clean

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.dev ## install everything into .venv, for work on the code
demo: .venv/.run ## recorded channels, live, on http://127.0.0.1:8000 (no account needed)
	@$(BIN)/analyticbot demo $(ARGS)

test: .venv/.dev ## run the tests
	$(BIN)/python -m pytest -n auto --durations 25 $(ARGS)

chaos: .venv/.dev ## every fault on real processes, for many minutes; `make test` runs a few
	$(BIN)/python -m pytest tests/faults tests/attacks tests/analyticbot/test_takeover.py tests/system/test_kills.py -m '' --durations 50 $(ARGS)

check: .venv/.dev ## lint, format, types, layers, generated files, dependencies, the page's own tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.generated --check
	$(BIN)/python -m tools.dependencies
	$(BIN)/python -m tools.npm ci --silent --no-audit --no-fund
	$(BIN)/python -m tools.npm test --silent

format: .venv/.dev ## format the code and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generated: .venv/.dev ## write the generated files anew
	$(BIN)/python -m tools.generated

bench: .venv/.dev .venv/.bench ## measure; results go to docs/benchmarks/
	$(BIN)/python -m bench $(ARGS)

audit: .venv/.dev .venv/.audit ## ask the databases of known weaknesses about every dependency
	$(BIN)/python -m tools.dependencies --audit

requirements: $(if $(UV),,.venv/bin/uv) ## pin the requirements again, after a change of pyproject.toml
	$(compile) pyproject.toml --extra embedded -o requirements/run.txt
	$(compile) pyproject.toml --extra embedded --group dev -c requirements/run.txt -o requirements/dev.txt
	$(compile) pyproject.toml --extra embedded --extra cluster --extra tracing -c requirements/run.txt -o requirements/image.txt
	$(compile) --group bench -c requirements/run.txt -o requirements/bench.txt
	$(compile) requirements/build.in -o requirements/build.txt
	$(compile) requirements/audit.in -o requirements/audit.txt
	$(compile) requirements/uv.in -o requirements/uv.txt
compile = $(or $(UV),$(BIN)/uv) pip compile $(PIN)
PIN := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet

clean: ## remove what was installed and built
	rm -rf .venv api/static dashboard/node_modules

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "AnalyticBot needs Python 3.11, 3.12 or 3.13: install one, or name it with make PYTHON=..."; exit 1; }
	@echo "Making .venv with $(PYTHON)"
ifdef UV
	@$(UV) venv --quiet --python $(PYTHON) .venv
else
	@$(PYTHON) -m venv .venv
endif

.venv/bin/uv: requirements/uv.txt | .venv/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.packages: requirements/run.txt requirements/build.txt | .venv/bin/python
	@echo "Installing the pinned packages (once; about 300 MB)"
	@$(install) --require-hashes -r requirements/run.txt -r requirements/build.txt
	@touch $@

.venv/.run: .venv/.packages pyproject.toml hatch_build.py $(DASHBOARD)
	@echo "Installing AnalyticBot and building its page"
	@$(install) --no-build-isolation --no-deps --editable .
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	@$(install) --require-hashes -r requirements/dev.txt
	@touch $@

# The engines that ours is compared with, apart: what they pin must not touch what we run.
.venv/.bench: requirements/bench.txt | .venv/bin/python
	@test -x .venv/peers/bin/python || $(BIN)/python -m venv .venv/peers
	@.venv/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

# Apart as well: nothing of it runs with us.
.venv/.audit: requirements/audit.txt | .venv/bin/python
	@test -x .venv/audit/bin/python || $(BIN)/python -m venv .venv/audit
	@.venv/audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/audit.txt
	@touch $@
