# The project's commands. Nothing needs to be installed before, except make and Python 3.11+.

PYTHON ?= python3
# Environments made with a PYTHON named once stay, until another one is named.
ANY_PYTHON := $(if $(filter file,$(origin PYTHON)),--any-python)
BIN := .venv/bin
# Each process has servers of its own, about 1 GB. One more than two cores: many tests wait.
TEST_PROCESSES ?= 3
UV_COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet
# Later releases of its dependencies break this LocalStack: see localstack-init/localstack.in.
LOCALSTACK_AS_OF := 2026-02-05

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format unit bench deploy-test engines-test reference dashboard lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Another interpreter than python3: make setup PYTHON=python3.12"

setup: ## Make .venv and .venv-localstack from the lock files (a second or nothing when up to date)
	@$(PYTHON) devstack/bootstrap.py $(ANY_PYTHON)

demo: setup ## Show the whole way of the data on local servers, with a failure and its repair
	@$(BIN)/devstack demo

# Tests start hundreds of programs: what one has compiled, the next ones need not.
test unit: export PYTHONDONTWRITEBYTECODE =

test: setup ## Check everything: lint, types, import rules, then all tests on real servers
	@$(BIN)/python -m tests.support.browser & found=$$!; \
		$(MAKE) --no-print-directory lint && wait $$found
	@echo "== tests: unit, integration and e2e on real PostgreSQL and LocalStack, $(TEST_PROCESSES) at once"
	@$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist worksteal

lint: setup ## Check style, formatting, types, import rules and IAM policies, side by side
	@$(MAKE) --no-print-directory --jobs=2 _types _style _imports _policies

_style:
	@echo "== ruff: style and formatting"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

_types:
	@echo "== mypy: types"
	@$(BIN)/mypy

_imports:
	@echo "== import-linter: who may import whom"
	@$(BIN)/lint-imports

_policies:
	@echo "== parliament: IAM policies"
	@$(BIN)/python -m deploy.policies

format: setup ## Format the code and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

unit: setup ## Run only the unit tests: no servers, under a minute
	@$(BIN)/python -m pytest tests/unit --numprocesses $(TEST_PROCESSES) --dist worksteal

bench: setup ## Measure speed against named limits and peers on local servers
	@$(BIN)/devstack run -- $(BIN)/python -m bench

deploy-test: setup ## Test deploy/ with Terraform, moto and Prometheus; says what it skipped and why
	@$(BIN)/python -m pytest deploy/tests -n 0 -v

engines-test: setup ## Test Polars, pandas and Daft on the Iceberg copy, in .venv-engines; says what it skipped
	@$(BIN)/python -m pytest tests/engines -n 0 -v

reference: setup ## Write anew what is generated: docs/reference, JSON Schemas, the simulated ERP's OpenAPI
	@$(BIN)/python -m docs.reference.generate
	@$(BIN)/python -m schemas --write schemas/json
	@$(BIN)/python -m devstack.erp.export > docs/api/openapi.json

dashboard: setup ## Write deploy/grafana/coco-ingest.json anew from its panels
	@$(BIN)/python -m deploy.tests.environment -m deploy.grafana.dashboard

lock: ## Resolve all lock files anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv on PATH"; exit 1; }
	@echo "== requirements/runtime.lock: what the programs need"
	@$(UV_COMPILE) --upgrade pyproject.toml -o requirements/runtime.lock >/dev/null
	@echo "== requirements/dev.lock: that, and what tests and local servers need"
	@$(UV_COMPILE) --upgrade --extra dev -c requirements/runtime.lock pyproject.toml \
		-o requirements/dev.lock >/dev/null
	@echo "== requirements/lakehouse.lock: what the image of lakehouse needs"
	@$(UV_COMPILE) --upgrade --extra lakehouse -c requirements/dev.lock pyproject.toml \
		-o requirements/lakehouse.lock >/dev/null
	@echo "== requirements/build.lock: what builds the wheel in the Dockerfile"
	@$(UV_COMPILE) --upgrade -c requirements/dev.lock requirements/build.in \
		-o requirements/build.lock >/dev/null
	@echo "== requirements/pip.lock: what installs all of them"
	@$(UV_COMPILE) --upgrade requirements/pip.in -o requirements/pip.lock >/dev/null
	@echo "== requirements/bench.lock: the peer that make bench compares with"
	@cd requirements && $(UV_COMPILE) --upgrade bench.in -o bench.lock >/dev/null
	@echo "== requirements/deploy.lock: what make deploy-test needs besides"
	@cd requirements && $(UV_COMPILE) --upgrade deploy.in -o deploy.lock >/dev/null
	@echo "== requirements/engines.lock: engines that read the Iceberg copy"
	@cd requirements && $(UV_COMPILE) --upgrade engines.in -o engines.lock >/dev/null
	@echo "== localstack-init/localstack.lock: LocalStack, as of $(LOCALSTACK_AS_OF)"
	@cd localstack-init && $(UV_COMPILE) --upgrade --exclude-newer $(LOCALSTACK_AS_OF) \
		localstack.in -o localstack.lock >/dev/null

clean: ## Stop a running devstack; remove the environments and all caches
	@if [ -x $(BIN)/devstack ]; then $(BIN)/devstack down; fi
	@rm -rf .venv .venv-localstack .venv-bench .venv-deploy .venv-engines .browser .devstack .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
