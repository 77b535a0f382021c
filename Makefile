# Every target makes the environment it needs: Python 3.11 or newer and make are enough.
#
#   VENV      where the environment is made
#   PACKAGE   what is installed into it: this tree, editable, or a wheel
#   PYTHON    the interpreter that makes it
#   MARKERS   which tests: all but the slow proofs; `MARKERS=` runs all, as CI does
#   PYTEST_ARGS, DEMO_ARGS, BENCH_ARGS are handed on

VENV ?= .venv
PACKAGE ?= -e .
PYTEST_ARGS ?=
MARKERS ?= not slow
# Tests run beside each other, in the order of their folders, which begin with the long ones; 0 runs them in one process.
WORKERS ?= 2
DEMO_ARGS ?=
BENCH_ARGS ?=

# 3.11 comes first because the lock file was made with it. A Python without ensurepip
# (Debian's, without python3-venv) can't make an environment and is passed over.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	"$$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && { echo "$$python"; break; }; done)

IN_VENV = $(VENV)/bin
STAMP = $(VENV)/.installed
# Uncompiled, because most of what is installed is never imported: a third less time to wait.
PIP = $(IN_VENV)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test mutation lint format types generate generated check bench measured picture build lock clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(STAMP): pyproject.toml requirements-dev.lock
	@test -n "$(PYTHON)" || { echo >&2 "make: expected Python 3.11 or newer with venv and pip on PATH, found none;" \
		"install it (on Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(PIP) install --quiet --no-compile --requirement requirements-dev.lock
	$(PIP) install --quiet --force-reinstall --no-deps --no-build-isolation $(PACKAGE)
	@touch $@

demo: $(STAMP) ## start the sidecar and replay real data into it
	$(IN_VENV)/driftgauge demo $(DEMO_ARGS)

test: $(STAMP) ## the tests, without the slow proofs; all with MARKERS=
	$(IN_VENV)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder -m "$(MARKERS)" $(PYTEST_ARGS)

mutation: $(STAMP) ## do the tests of stats notice a formula that became a constant?
	$(IN_VENV)/python -m tests.mutation

lint: $(STAMP) ## ruff: rules and format
	$(IN_VENV)/ruff check .
	$(IN_VENV)/ruff format --check .

format: $(STAMP) ## let ruff mend what it can
	$(IN_VENV)/ruff check --fix .
	$(IN_VENV)/ruff format .

types: $(STAMP) ## mypy, strict, all of src
	$(IN_VENV)/mypy

generate: $(STAMP) ## make the generated files anew
	$(IN_VENV)/python -m driftgauge.docs
	$(IN_VENV)/python -m driftgauge.cli.manual
	$(IN_VENV)/python -m tests.charts

generated: generate # are the committed ones as they would be generated?
	@git diff --exit-code || { echo >&2 "make: generated files are behind their sources; run 'make generate' and commit"; exit 1; }

check: lint types generated mutation ## what CI runs
	$(MAKE) test MARKERS=

bench: $(STAMP) ## the benchmark beside its goals
	$(IN_VENV)/python -m benchmarks $(BENCH_ARGS)

measured: $(STAMP) ## how often verdicts, intervals and detectors are right, measured anew into docs
	$(IN_VENV)/python -m benchmarks.measured_verdicts
	$(IN_VENV)/python -m benchmarks.measured_intervals
	$(IN_VENV)/python -m benchmarks.measured_paired
	$(IN_VENV)/python -m benchmarks.measured_detectors
	$(IN_VENV)/python -m benchmarks.measured_concept
	$(IN_VENV)/python -m benchmarks.measured_relations
	$(IN_VENV)/python -m benchmarks.measured_rules
	$(IN_VENV)/python -m benchmarks.measured_services

picture: $(STAMP) ## the README's picture of the page, from the demo; needs chromium
	$(IN_VENV)/python -m tests.e2e.picture

build: $(STAMP) ## the wheel, in dist
	rm -rf dist
	$(IN_VENV)/python -m build --wheel --no-isolation

lock: ## requirements-dev.lock anew, from pyproject's floors
	@test -n "$(PYTHON)" || { echo >&2 "make: expected Python 3.11 or newer on PATH, found none"; exit 1; }
	"$(PYTHON)" -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[dev]'
	{ sed -n '/^#/p' requirements-dev.lock; \
	  .venv-lock/bin/python -m pip freeze --exclude-editable \
	  | sed "s/^uvloop==.*/&; sys_platform != 'win32' and platform_python_implementation == 'CPython'/"; \
	} > requirements-dev.lock.new
	mv requirements-dev.lock.new requirements-dev.lock
	rm -rf .venv-lock

clean: ## remove what the other targets made
	rm -rf .venv .venv-wheel .venv-lock .tools dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
