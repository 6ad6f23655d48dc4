# The two commands that matter: `make verify` and `make test`. Everything else serves them.
PYTHON ?= python3
VENV := .venv
LEGACY_VENV := .venv-legacy
POLICY_VENV := .venv-policy
BIN := $(VENV)/bin
PIP_FLAGS := --quiet --quiet --disable-pip-version-check --require-hashes --no-deps

.PHONY: verify test lint infra format types bench docs lock install clean help policy-scan
.DEFAULT_GOAL := help

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

verify: install ## Compare legacy and target, measure, report, decide (quick profile)
	$(BIN)/parakeet verify --profile quick

test: install ## Run every test
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: install ## Check style, types and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

infra: install ## Apply the Terraform files to a local AWS, judge what it made, destroy it
	$(BIN)/parakeet infra check

format: install ## Format the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: install ## Run every benchmark; writes artifacts/bench.json
	$(BIN)/python -m bench

docs: install ## Write what is generated: JSON schemas, the API's document, and the reference application's fidelity where ../shared is
	$(BIN)/python -m reports.schema
	$(BIN)/python -m target.api_document
	test ! -d ../shared/legacy || $(BIN)/parakeet legacy check --session ../shared/legacy/session.jsonl \
		--db ../shared/legacy/seeded_trades.db --report docs/legacy-fidelity.md

policy-scan: $(POLICY_VENV)/.installed ## Scan terraform/ for unsafe settings (checkov; about a minute)
	$(POLICY_VENV)/bin/checkov --directory terraform --framework terraform --skip-path tests \
		--var-file terraform/environments/prod.tfvars --skip-download --quiet --compact

install: $(VENV)/.installed $(LEGACY_VENV)/.installed

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_FLAGS) -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(LEGACY_VENV)/.installed: requirements/legacy.txt
	$(PYTHON) -m venv $(LEGACY_VENV)
	$(LEGACY_VENV)/bin/python -m pip install $(PIP_FLAGS) -r requirements/legacy.txt
	@touch $@

$(POLICY_VENV)/.installed: requirements/policy.txt
	$(PYTHON) -m venv $(POLICY_VENV)
	$(POLICY_VENV)/bin/python -m pip install $(PIP_FLAGS) -r requirements/policy.txt
	@touch $@

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header --strip-extras

lock: ## Resolve the locks again
	$(COMPILE) pyproject.toml --all-extras -o requirements/dev.txt
	$(COMPILE) requirements/lambda.in -c requirements/dev.txt -o requirements/lambda.txt
	$(COMPILE) requirements/lambda-frames.in -c requirements/dev.txt -o requirements/lambda-frames.txt
	$(COMPILE) requirements/legacy.in -o requirements/legacy.txt
	$(COMPILE) requirements/policy.in -o requirements/policy.txt

clean: ## Remove run output and build products
	rm -rf artifacts
