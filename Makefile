# Richiamo. `make help` explains itself; nothing is needed but Python 3.11 or newer and make.

.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:

PYTHON ?= $(shell tools/find-python)
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.made
ASSETS := services/gateway/assets
STATIC := services/gateway/src/richiamo_gateway/static
MEMBERS := libs/events libs/kit services/ingest services/queue services/callback-tracker services/reporting services/gateway ops
MANIFESTS := $(MEMBERS:%=%/pyproject.toml)

# A Python that uv would fetch is not the one the machine has.
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# Registries are trusted by what the machine trusts, which may be more than what uv and node bring along.
export UV_SYSTEM_CERTS := true
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export NODE_EXTRA_CA_CERTS ?= /etc/ssl/certs/ca-certificates.crt
endif

##@ Using it

.PHONY: help
help: ## Show this.
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: ready ## Start everything on 127.0.0.1: pages on port 8080, the PBX's port 8081, data in ./var. Ctrl-C ends it.
	@$(BIN)/richiamo up

.PHONY: demo
demo: export RICHIAMO_DATA_DIR ?= ./var/demo
demo: ready ## The same with a month of past calls and a call centre at work, data in ./var/demo.
	@$(BIN)/richiamo up --simulate

##@ Changing it

# Tests wait for servers more than they compute, so more than one at a time goes well even on two cores.
WORKERS ?= 3

.PHONY: test
test: ready $(STAMPS)/oidc-provider ## Run every test, with real NATS, real PostgreSQL and a real Chromium (which it installs when it can).
	@CHROMIUM="$$(tools/ensure-browser)" && export CHROMIUM && exec $(BIN)/pytest -n $(WORKERS) --dist loadfile $(TESTS)

.PHONY: soak
soak: export RICHIAMO_SOAK_SECONDS ?= 3600
soak: ready ## What breaks things by chance, an hour of each (RICHIAMO_SOAK_SECONDS); the seed it prints repeats it.
	$(BIN)/pytest -m soak

.PHONY: cluster
cluster: export RICHIAMO_CLUSTER_PROOF := yes
cluster: ready ## Three NATS nodes and two of each service: kill, cut off, restart and replace them under load.
	$(BIN)/pytest -q -s tests/cluster

.PHONY: bench
bench: ready ## Measure speed, memory and growth on a system of its own; writes bench.json.
	@$(BIN)/richiamo bench

.PHONY: bench-log
bench-log: ready ## What a log ten times as long costs; SIZE="--events 1000000" from one to ten million.
	@$(BIN)/richiamo bench-log $(SIZE)

.PHONY: check
check: ready lint ## What CI asks of every change: lint, then the tests that need no server.
	$(BIN)/pytest -q -m "not servers and not browser and not slow"

.PHONY: lint
lint: ready ## Style, formatting, types and the import contracts.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	tools/no-addresses

.PHONY: audit
audit: ready ## Ask the public databases for known vulnerabilities of every package in the locks; needs the network.
	@PATH="$$(tools/ensure-node):$$PATH" && $(BIN)/python tools/audit.py

.PHONY: docs
docs: ready ## Write docs/bi.md again from the catalogue of the BI views.
	$(BIN)/python -m richiamo_reporting.bi.guide > docs/bi.md.new && mv docs/bi.md.new docs/bi.md

.PHONY: bench-reports
bench-reports: ready ## How quick the reports are over three years of calls; SIZE=--calls=10000000 for ten million.
	@$(BIN)/python -m richiamo_reporting.bench $(SIZE)

.PHONY: bench-import
bench-import: ready ## How fast a month of calls is imported, in order and in disorder, and that both come to the same; SIZE=--calls=10000.
	@$(BIN)/python -m richiamo_ops.bench.importing $(SIZE)

.PHONY: bench-live
bench-live: ready ## How soon 600 browsers on one gateway show what happens; SIZE="--browsers 1000 --rate 50" for more.
	@$(BIN)/python -m richiamo_ops.bench.live $(SIZE)

.PHONY: bench-paint
bench-paint: ready ## How soon a browser shows the lost calls, 10,000 open, beside the log-in page; SIZE="--times 50" for more.
	@CHROMIUM="$$(tools/ensure-browser)" && export CHROMIUM && $(BIN)/python tools/first_paint.py $(SIZE)

.PHONY: format
format: ready ## Put the code into form.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: lock
lock: $(STAMPS)/uv ## Choose the newest versions allowed, write requirements.lock (registry addresses left out).
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-header \
		--no-annotate --no-emit-index-url --group dev pyproject.toml --output-file requirements.lock \
		$(patsubst %,--no-emit-package %,richiamo richiamo-events richiamo-kit richiamo-ingest richiamo-queue \
		richiamo-callback-tracker richiamo-reporting richiamo-gateway richiamo-ops)

.PHONY: screenshots
screenshots: ready ## Take the pictures of all pages for README and docs, from a system of its own with demo data.
	@CHROMIUM="$$(tools/ensure-browser)" && export CHROMIUM && $(BIN)/python tools/screenshots.py docs/images

.PHONY: metrics-page
metrics-page: ready ## Write docs/metrics.md from the catalogue of metrics.
	@$(BIN)/python -c "from richiamo_kit import metrics; print(metrics.page(), end='')" >docs/metrics.md

.PHONY: nats-users
nats-users: ready ## Write deploy/nats/users.conf from the catalogue of who may say and hear what on NATS.
	@$(BIN)/python -c "from richiamo_kit.store import access; print(access.page(), end='')" >deploy/nats/users.conf

.PHONY: database-roles
database-roles: ready ## Write deploy/roles.sql from the catalogue of which role of PostgreSQL owns what.
	@$(BIN)/python -c "from richiamo_kit import roles; print(roles.PAGE, end='')" >deploy/roles.sql

.PHONY: asyncapi
asyncapi: ready ## Write docs/asyncapi.json, the description of the event streams, from the catalogues of events and rights.
	@$(BIN)/python -c "from richiamo_kit import asyncapi; print(asyncapi.page(), end='')" >docs/asyncapi.json

.PHONY: assets
assets: $(STAMPS)/assets ## Build the pages' scripts and styles.

.PHONY: clean
clean: ## Remove what was installed and built; ./var, the data, stays.
	rm -rf $(VENV) $(STATIC) $(ASSETS)/node_modules tests/oidc/provider/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- Set-up: each step leaves a stamp, so that a second run does nothing. -----------------------------------------

.PHONY: ready
ready: $(STAMPS)/members $(STAMPS)/assets

$(STAMPS)/venv:
	@test -n "$(PYTHON)" || { echo "Richiamo needs Python 3.11 or newer; set PYTHON=/path/to/python3.x" >&2; exit 1; }
	@echo "Making $(VENV) with $(PYTHON) ..."
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/uv: tools/bootstrap.lock $(STAMPS)/venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/bootstrap.lock
	@touch $@

# uv is the fast way. A machine whose registry only pip has been told about gets the same files by pip.
$(STAMPS)/packages: requirements.lock $(STAMPS)/uv
	@echo "Installing the packages of requirements.lock ..."
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(STAMPS)/members: $(MANIFESTS) $(STAMPS)/packages
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(MEMBERS:%=--editable %)
	@touch $@

$(STAMPS)/node-modules: $(ASSETS)/package.json $(ASSETS)/package-lock.json $(STAMPS)/packages
	@echo "Installing the pages' libraries ..."
	@PATH="$$(tools/ensure-node):$$PATH" && cd $(ASSETS) && npm ci --ignore-scripts --loglevel=error
	@touch $@

# The identity provider of the tests of single sign-on.
$(STAMPS)/oidc-provider: tests/oidc/provider/package.json tests/oidc/provider/package-lock.json $(STAMPS)/packages
	@PATH="$$(tools/ensure-node):$$PATH" && cd tests/oidc/provider && npm ci --ignore-scripts --loglevel=error
	@touch $@

$(STAMPS)/assets: $(wildcard $(ASSETS)/src/*) $(ASSETS)/build.mjs $(STAMPS)/node-modules
	@PATH="$$(tools/ensure-node):$$PATH" && node $(ASSETS)/build.mjs
	@touch $@
