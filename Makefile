# `make help` lists what there is. Needs git, make and Python >= 3.11 with venv; everything else is installed into .venv.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.PHONY: help demo test check format docs bench bench-full nightly lock clean run-venv dev-venv

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: run-venv ## bill the bundled real data, explain a line, and verify every bill
	@.venv/bin/farthing demo

test: dev-venv ## the whole test suite (PYTEST_ARGS="-k tiers -x" narrows it)
	@.venv/bin/pytest -n auto --dist loadfile $(PYTEST_ARGS)

check: dev-venv ## lint, formatting, types, import contracts, ratchets, promises, documents
	@.venv/bin/python -m tools.check

format: dev-venv ## format the code and mend what the linter can mend
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .

docs: dev-venv ## write the generated documents anew
	@.venv/bin/python -m tools.documents --write

bench: dev-venv ## the benchmarks in at most five minutes, into docs/benchmarks.md and .json
	@.venv/bin/python -m benchmarks --quick

bench-full: dev-venv ## the benchmarks at full size
	@.venv/bin/python -m benchmarks --full

nightly: dev-venv ## the property and parity tests at 10,000 examples each
	@HYPOTHESIS_PROFILE=nightly .venv/bin/pytest -n auto -m hypothesis $(PYTEST_ARGS)

lock: ## resolve the dependencies anew into requirements/ (LOCK_ARGS=--upgrade takes newer versions)
	@tools/lock.sh $(LOCK_ARGS)

clean: ## remove .venv, caches and what the demo left
	@rm -rf .venv build dist .farthing .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache src/*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

run-venv:
	@tools/venv.sh run

dev-venv:
	@tools/venv.sh dev
