# Everything that is typed in a checkout. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup packages run test test-long test-matcher check format words lock pictures tables bench bench-growth fuzz clean
MAKEFLAGS += --no-print-directory
# Hundreds of servers and commands are started in a test run: each would be compiled anew.
unexport PYTHONDONTWRITEBYTECODE

PORT ?= 5000
# A process more than there are cores, and four at most: a third of the time a test waits for a browser or a server. Whoever is done takes over half of what is left.
AT_ONCE := --numprocesses=$(shell n=$$(( $$(getconf _NPROCESSORS_ONLN) + 1 )); echo $$(( n < 4 ? n : 4 ))) --dist=worksteal
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# What is installed is named by what was asked for, so that a change installs anew and anything else takes no time.
RUN_STAMP := .venv/for-run-$(shell cksum < config/requirements.txt | tr ' ' -)
TEST_STAMP := .venv/for-test-$(shell cksum < config/requirements-dev.txt | tr ' ' -)
LOCK := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-config \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --extra clients --extra checkout
UPDATE := $(BIN)/pybabel --quiet update --no-fuzzy-matching --ignore-obsolete --omit-header
EXTRACT := $(BIN)/pybabel --quiet extract --no-location --omit-header --sort-output

help: ## Show what can be typed
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

setup: $(TEST_STAMP) ## Make .venv with everything that running and testing need
	@echo "Ready: .venv/bin/idp, make run, make test."

packages:
	@.ci/system-packages

run: $(RUN_STAMP) ## Run everything on this machine, with demo families (PORT=5000 and the four after it)
	@exec $(BIN)/idp demo --port $(PORT)

test: ## Run every check, PostgreSQL and a real browser included
	@$(MAKE) --jobs=2 $(TEST_STAMP) packages || { .ci/system-packages; exit 1; }  # what to type is said last
	@$(MAKE) check
	@echo "Tests, on SQLite and PostgreSQL, and in Chromium:"
	@failed=0; $(BIN)/pytest $(AT_ONCE) -m "not long and not alone" || failed=1; \
	echo "Tests that measure time, one by one:"; $(BIN)/pytest -m "alone and not long" || failed=1; exit $$failed

test-long: $(TEST_STAMP) packages ## Run the tests that take minutes: faults, restarts, attacks under load (a quarter of an hour)
	@$(BIN)/pytest -m "long and not matcher"

test-matcher: $(TEST_STAMP) ## Let a program try to pass a thousand picture tasks (half an hour)
	@$(BIN)/pytest -m matcher

check: $(TEST_STAMP) ## Run the quick checks: style, types, imports, templates
	@echo "Style:     ruff";         $(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@echo "Types:     mypy";         $(BIN)/mypy --no-error-summary
	@echo "Imports:   import-linter"; $(BIN)/lint-imports --no-cache > .venv/imports.log || { cat .venv/imports.log; exit 1; }
	@echo "Templates: djlint";       $(BIN)/djlint --lint --quiet templates clients

format: $(TEST_STAMP) ## Bring the code into its form, and mend what can be mended without thinking
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

words: $(TEST_STAMP) ## Gather the words that people see for the translators: new ones are empty in each language's messages.po
	@echo "idp/translations/messages.pot";     $(EXTRACT) --mapping-file=config/babel.cfg \
		--add-comments=Translators: --output-file=idp/translations/messages.pot idp templates
	@echo "clients/translations/messages.pot"; cd clients && ../$(EXTRACT) --mapping-file=babel.cfg --output-file=translations/messages.pot .
	@for folder in idp clients; do $(UPDATE) --input-file=$$folder/translations/messages.pot --output-dir=$$folder/translations; done

lock: $(TEST_STAMP) ## Pin what pyproject.toml asks for, with hashes (by the oldest Python there is: it needs the most)
	@echo "Pinning config/requirements.txt …";     $(LOCK) --output-file config/requirements.txt pyproject.toml
	@echo "Pinning config/requirements-dev.txt …"; $(LOCK) --extra dev --output-file config/requirements-dev.txt pyproject.toml

pictures: $(TEST_STAMP) ## Take README's pictures anew
	@mkdir -p tests/journeys/pictures
	@IDP_PICTURES=tests/journeys/pictures $(BIN)/pytest tests/journeys/test_every_page_is_fit_to_be_seen.py

tables: $(TEST_STAMP) ## Write the tables of tests/README.md anew
	@rm -f .venv/weighed
	@IDP_TABLES=.venv/weighed $(BIN)/pytest --quiet tests/journeys/test_every_page_is_fit_to_be_seen.py -k phone
	@$(BIN)/python -m tests.tables .venv/weighed

bench: $(TEST_STAMP) packages ## Measure what a request costs, beside a hash, a signature and a commit (minutes)
	@$(BIN)/python -m tests.benchmarks

bench-growth: $(TEST_STAMP) packages ## Measure the same in a district of 10^3, 10^5 and 10^6 accounts (an hour or more)
	@$(BIN)/python -m tests.benchmarks.growth

fuzz: $(TEST_STAMP) ## Send generated requests for as long as you like (EXAMPLES=1000000)
	@IDP_FUZZ_EXAMPLES=$(or $(EXAMPLES),200000) $(BIN)/pytest tests/properties

clean: ## Remove what was made here, but not the demo's data in instance/
	@rm -rf .venv build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@.ci/virtual-environment

$(RUN_STAMP): | .venv/bin/python
	@echo "Installing what the program needs (a minute or two the first time):"
	@$(PIP) install --require-hashes --requirement config/requirements.txt | sed -n 's/^Collecting \([^ ]*\).*/  \1/p'
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@rm -f .venv/for-* && touch $@

$(TEST_STAMP): | .venv/bin/python
	@echo "Installing what the program and its tests need (a few minutes the first time):"
	@$(PIP) install --require-hashes --requirement config/requirements-dev.txt | sed -n 's/^Collecting \([^ ]*\).*/  \1/p'
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@rm -f .venv/for-* && touch $(RUN_STAMP) $@
