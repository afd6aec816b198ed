# `make run` shows it, `make test` proves it. Both build the virtual environment when it is missing or stale.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHECKOV := .tools/checkov
export SAM_CLI_TELEMETRY := 0
# A machine may forbid Python to keep what it compiled. Then each process compiles this project again: the local cloud starts dozens.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup setup-dev tools console run test test-console format check check-console check-python unit sam-local judges faults chaos bench capacity docs screenshots lock clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## Create .venv with what running needs; .venv/bin/pytake is the command

# --no-deps: the list is complete but for what local-overrides.txt leaves out.
$(VENV)/.ready: requirements/local.txt requirements/tools.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "PyTake needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Installing the pinned dependencies into $(VENV) (once, about half a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/tools.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps --compile-bytecode -r requirements/local.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

setup-dev: $(VENV)/.ready-dev ## Add what tests and checks need to .venv

$(VENV)/.ready-dev: requirements/dev.txt $(VENV)/.ready
	@echo "Installing the tools of tests and checks into $(VENV) (once, about a minute)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps --compile-bytecode -r requirements/dev.txt
	@touch $@

tools: $(CHECKOV)/.ready ## Install checkov, which the tests of the template run, below .tools

$(CHECKOV)/.ready: requirements/checkov.txt $(VENV)/.ready
	@echo "Installing checkov into $(CHECKOV) (once)"
	@$(BIN)/uv venv --quiet --no-project --clear --python $(BIN)/python $(CHECKOV)
	@$(BIN)/uv pip install --quiet --python $(CHECKOV)/bin/python --require-hashes --compile-bytecode -r requirements/checkov.txt
	@touch $@

SITE = $(BIN)/python console/build_site.py
console: setup ## Build the web console into functions/console/site, if it is stale
	@$(SITE)

run: setup ## Start the local cloud with the demo: API, webhook, a simulated WhatsApp
	@$(BIN)/pytake local

JSON := tests/engine/golden/*.json tests/engine/prover/*.json tests/whatsapp/payloads/*.json
format: setup-dev ## Format the code, and the JSON of tests
	@$(BIN)/ruff format --quiet .
	@$(BIN)/python -m local.json_layout $(JSON)
	@$(SITE) -- format

check: setup-dev ## Style, types, import rules, security rules; the same of the web console
	@$(MAKE) --no-print-directory -j 2 check-python check-console

check-console:
	@$(SITE) -- format:check lint types

check-python:
	@$(BIN)/ruff format --check --quiet . || { echo "Run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@found=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$found" | tail -n 20; exit 1; }
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive layers functions local cli

unit: setup-dev tools ## The fast tests only
	@$(SITE) -- test
	@$(BIN)/pytest -n 2 --dist loadfile -m "not cloud and not build"

# The local cloud and the builds mostly wait: they run beside the fast tests. They have a process of their own, because a browser's
# loop and the cloud's environment would disturb other tests.
# Only their folders are named, so that the process does not load thousands of fast tests (tests/docs/test_habits.py watches it).
SLOW := tests/cloud tests/console tests/build
SLOW_TESTS := .pytest_cache/slow.txt

# Beside the checks of Python, which use one processor, too. Building the site checks its types, and the local cloud needs it.
test-console:
	@$(SITE)
	@$(SITE) -- format:check lint test

# Files run in the order of their names: the default, files with many tests first, leaves the longest single tests to the end.
test: setup-dev tools ## Everything CI runs
	@$(MAKE) --no-print-directory -j 2 check-python test-console
	@mkdir -p $(dir $(SLOW_TESTS)); $(BIN)/pytest $(SLOW) -m "cloud or build" >$(SLOW_TESTS) 2>&1 & slow=$$!; \
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not cloud and not build"; fast=$$?; \
	wait $$slow; slow=$$?; cat $(SLOW_TESTS); exit $$((fast || slow))
	@$(BIN)/pytest tests/build/test_functions.py --sam-local --skip-without-engine -rs -k "sample_event or start_api or cold_start"

sam-local: setup-dev ## Run each built function with its sample events by sam local invoke, in containers
	@$(BIN)/pytest tests/build/test_functions.py --sam-local

judges: setup-dev ## Check against Amazon's DynamoDB Local and a real Trino (needs JDK 17, JDK 25 and Maven; ONLY=dynamodb or ONLY=trino)
	@$(BIN)/python -m tests.judges $(ONLY)

RANDOM := tests/faults tests/engine/test_abstract_values.py tests/engine/test_exits.py tests/engine/test_properties.py tests/engine/test_soundness.py tests/functions/test_openapi.py tests/importers/test_importing.py
faults: setup-dev ## Simulate 100,000 runs in which anything goes wrong, 20,000 campaigns and 20,000 with starts (SEEDS=first-last for others; some hours on two cores)
	@PYTAKE_THOROUGH=1 $(BIN)/pytest -n 2 --dist loadfile $(RANDOM)
	@$(BIN)/python -m tests.faults.replay $(or $(SEEDS),0-99999) --jobs 2
	@$(BIN)/python -m tests.faults.replay campaign:$(or $(SEEDS),0-19999) --jobs 2
	@$(BIN)/python -m tests.faults.replay start:$(or $(SEEDS),0-19999) --jobs 2

chaos: setup-dev ## The same on the local cloud: workers are killed, the Graph API fails, webhooks repeat (five minutes)
	@$(BIN)/python -m tests.chaos

capacity: setup-dev ## Simulate ten minutes at 1,000 messages a second, and a campaign to a million people (QUICK=1: a minute at a tenth, no report)
	@$(BIN)/python -m benchmarks.capacity $(if $(QUICK),--quick)
	@$(BIN)/python -m benchmarks.campaign $(if $(QUICK),--people 20000)

bench: setup-dev ## Measure: the engine beside others, cold starts, time per message, the lake (QUICK=1: a minute, no report; KEEP_LAKE=1: not the lake; ONLY_LAKE=1)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(KEEP_LAKE),--keep-lake) $(if $(ONLY_LAKE),--only-lake)

docs: setup-dev ## Write the reference pages of docs/ from the code
	@$(BIN)/python -m cli.reference

screenshots: setup-dev ## Take the pictures of docs/images/ with the machine's Chromium (a minute)
	@$(BIN)/python -m tests.console.screenshots

UV_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
ALL_PINS := requirements/.all.txt
lock: ## Resolve the versions in pyproject.toml into hashed lists; the layer takes the versions that were tested
	@cat requirements/local.txt requirements/dev.txt > $(ALL_PINS) # uv keeps the versions that its output file has
	$(UV_LOCK) --extra local --extra dev pyproject.toml -o $(ALL_PINS)
	$(UV_LOCK) -c $(ALL_PINS) pyproject.toml -o requirements/layer.txt
	$(UV_LOCK) -c $(ALL_PINS) --override requirements/local-overrides.txt --extra local pyproject.toml -o requirements/local.txt
	$(UV_LOCK) -c $(ALL_PINS) $$(sed -nE 's/^([a-z0-9._-]+)==.*/--no-emit-package \1/p' requirements/local.txt) \
	  --extra local --extra dev pyproject.toml -o requirements/dev.txt
	@rm $(ALL_PINS)
	$(UV_LOCK) --group lake-layer --no-emit-package typing-extensions -o layers/lake/requirements.txt
	$(UV_LOCK) --group checkov -o requirements/checkov.txt
	$(UV_LOCK) -c requirements/layer.txt --group bench-pytake -o requirements/bench-pytake.txt
	for peer in transitions langgraph botbuilder; do \
	  $(UV_LOCK) --group bench-$$peer -o requirements/bench-$$peer.txt || exit 1; done

clean: ## Remove what a build or a run left behind
	rm -rf .aws-sam .pytake .tools .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
