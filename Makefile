# Everything a person does with this repository, one word each; `make` alone lists them.

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq
SEED    ?= 0
MINUTES ?= 60
RUN    := $(VENV)/.installed-run
DEV    := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help demo up test check check-long contract faults soak docs lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUN)  ## see speech come back in three languages, on this machine alone
	@$(BIN)/fanscribe demo $(ARGS)

up: $(RUN)  ## run the stack on this machine with the demo models; Ctrl-C stops it
	@$(BIN)/fanscribe up --demo-models $(ARGS)

test: check  ## all checks, then every test that is not long
	@$(BIN)/pytest -m "not long" $(ARGS)

check: $(DEV)  ## format, lint, types, import arrows, architecture
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest --quiet --no-header tests/architecture

check-long: $(DEV)  ## the tests that take minutes
	@$(BIN)/pytest -m long $(ARGS)

contract: $(DEV)  ## thousands of requests made from the OpenAPI document (SEED=)
	@FANSCRIBE_TEST_SEED=$(SEED) $(BIN)/pytest --quiet -m long tests/app/test_generated_requests.py $(ARGS)

faults: $(DEV)  ## break the stack on purpose, and prove that nothing is lost (SEED=, ARGS=)
	@$(BIN)/python -m benchmarks.faults --seed $(SEED) $(ARGS)

soak: $(DEV)  ## random faults under load for MINUTES=60 (SEED=, ARGS=)
	@$(BIN)/python -m benchmarks.faults.soak --minutes $(MINUTES) --seed $(SEED) $(ARGS)

docs: $(DEV)  ## write the generated parts of docs/ anew
	@$(BIN)/python docs/generate.py

lock: $(DEV)  ## choose the newest versions that fit and write them down with their hashes
	@$(PIP) install uv
	@$(BIN)/uv pip compile pyproject.toml $(LOCK) -o requirements/run.lock
	@$(BIN)/uv pip compile pyproject.toml --extra speech --group dev $(LOCK) -o requirements/dev.lock

clean:  ## remove the virtual environment and every cache
	@rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

# ── the virtual environment; a stamp file makes the second call instant ─────────────────────────

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Fanscribe needs Python 3.11 or newer: apt install python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "This Python cannot make virtual environments: apt install python3-venv"; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv $(VENV)

$(RUN): requirements/run.lock pyproject.toml | $(BIN)/python
	@echo "Installing what Fanscribe needs, by exact version and hash (once) …"
	@$(PIP) install --require-hashes -r requirements/run.lock
	@$(PIP) install --no-deps -e .
	@touch $@

$(DEV): requirements/dev.lock $(RUN)
	@echo "Installing what the checks and tests need (once) …"
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@
