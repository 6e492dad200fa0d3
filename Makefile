# Every target makes the virtual environment first when it is missing or out of date.
PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.installed
SITE ?=
# Tests wait a lot, for processes above all: three at a time, each with servers of its own.
SPREAD ?= -n 3 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo up test test-long check format format-check lint types layers django-check docs docs-check bench clean

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.txt requirements-dev.txt
	@echo "Installing the packages of requirements-dev.txt into .venv; the first time takes a minute or two ..."
# Ctrl-C ends pip by a signal that it does not report with a traceback; making the folder is not
# worth interrupting.
	@trap 'kill $$pip 2>/dev/null; echo Stopped.; exit 130' INT; \
	(trap '' INT; exec $(PYTHON) -m venv .venv) || exit; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt & \
	pip=$$!; wait $$pip
	@touch $@

demo: $(STAMP) ## Review the packages of an environment, end to end (SITE=path/to/site-packages)
	$(BIN)/python -m examples.dependency_review.demo $(if $(SITE),--site "$(SITE)")

up: $(STAMP) ## Start web, worker and beat at http://127.0.0.1:8000 with demo users
	$(BIN)/python -m project.up

test: $(STAMP) ## Run the tests on PostgreSQL, then the scenarios once more on SQLite
	$(BIN)/python -m pytest $(SPREAD) -m "not long"
	$(BIN)/python -m pytest $(SPREAD) --ds=tests.settings.sqlite -m "both_databases and not long"

test-long: $(STAMP) ## Run the longest tests: many orders, kills and outages, on PostgreSQL
	$(BIN)/python -m pytest -m long
	CELERIAC_TEST_ORDERS=50 $(BIN)/python -m pytest $(SPREAD) -m "not long" tests/scenarios
	CELERIAC_TEST_ORDERS=workers $(BIN)/python -m pytest -m "not long" $$(grep -l in_every_order tests/scenarios/*.py)

check: format-check lint types layers django-check docs-check test ## Everything that must hold before a commit

format: $(STAMP) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --select I --fix .

format-check: $(STAMP)
	$(BIN)/ruff format --check .

lint: $(STAMP) ## Ruff, all rules
	$(BIN)/ruff check .

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy .

layers: $(STAMP) ## Who may import whom
	$(BIN)/lint-imports

django-check: $(STAMP)
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run

docs: $(STAMP) ## Write the generated reference pages
	$(BIN)/python manage.py reference
	$(BIN)/python -m tests.contract

docs-check: $(STAMP)
	$(BIN)/python manage.py reference --check
	$(BIN)/python -m tests.contract --check

bench: $(STAMP) ## Measure, on PostgreSQL and Redis, beside bare Celery
	$(BIN)/python -m benchmarks

clean: ## Remove var/ and what the tools have cached; .venv stays
	rm -rf var .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
