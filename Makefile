# Every target sets itself up; `make` alone prints this list. The words are the ones CI uses.
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
MEMBERS := $(sort $(dir $(wildcard libs/*/pyproject.toml services/*/pyproject.toml cli/pyproject.toml)))
# Where the machine has a trust store, uv uses it as pip does: a company's own authority is known there only.
TRUST_STORES := /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem
ifneq ($(wildcard $(TRUST_STORES)),)
export UV_SYSTEM_CERTS := true
endif
# Four workers on two cores: most tests wait for servers. A file stays with one worker, and with its fixtures.
# One argument list for pytest: a file or `-k name` can be put in ARGS.
WORKERS ?= 4
ARGS ?=

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/ready ## Start everything, walk one post through its life, print the story
	@$(BIN)/signoff demo

.PHONY: run
run: $(VENV)/ready ## Start the whole system and keep it up until Ctrl-C
	@$(BIN)/signoff up

.PHONY: test
test: $(VENV)/ready ## Run every test
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(ARGS)

.PHONY: test-chaos
test-chaos: $(VENV)/ready ## Kill everything at random under load and look what is true afterwards (CHAOS_SEED=…, CHAOS_ROUNDS=…, CHAOS_REPLICAS=…, CHAOS_POSTS=…)
	@$(BIN)/python -m pytest -m chaos -s tests/integration services/publisher $(ARGS)

.PHONY: lint
lint: $(VENV)/ready ## Check style, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/ready ## Rewrite the code in the house style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: bench-delivery
bench-delivery: $(VENV)/ready ## Measure delivery next to the same chain written by hand
	@$(BIN)/python tests/bench/delivery.py

.PHONY: bench-start
bench-start: $(VENV)/ready ## Measure how long the system takes to start and how much memory it holds
	@$(BIN)/python tests/bench/start.py

.PHONY: bench-auth
bench-auth: $(VENV)/ready ## Measure what the vault costs, and what it costs to know who calls
	@$(BIN)/python tests/bench/vault.py
	@$(BIN)/python tests/bench/sign_in.py

.PHONY: bench-publishing
bench-publishing: $(VENV)/ready ## Measure publishing next to a loop by hand and to its peers, with a million posts pending (ARGS=--help)
	@PYTHONPATH=tests/bench $(BIN)/python -m publishing $(ARGS)

.PHONY: contracts
contracts: $(VENV)/ready ## Regenerate event schemas, AsyncAPI and the pages of events and permissions
	@$(BIN)/python -m contracts.export

.PHONY: lock
lock: $(BIN)/uv ## Resolve dependencies anew and write requirements.lock
	@$(BIN)/uv lock --upgrade
	@$(BIN)/uv export --quiet --no-emit-workspace --all-packages --no-header --no-emit-index-url --output-file requirements.lock

.PHONY: check
check: lint test ## What CI runs

.PHONY: clean
clean: ## Remove the environment and the local data
	rm -rf $(VENV) .signoff .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(BIN)/uv:
	@echo "Making $(VENV) with uv $(UV_VERSION) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Signoff needs Python 3.11 or newer; name one with PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing: install it (on Debian: python3-venv) and run make again."; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# The stamp is newer than the lock and every manifest, or the environment is brought up to date.
$(VENV)/ready: $(BIN)/uv requirements.lock $(addsuffix pyproject.toml,$(MEMBERS))
	@echo "Installing the locked dependencies …"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps $(foreach member,$(MEMBERS),-e $(member))
	@touch $@
