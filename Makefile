# Two commands for a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps

.PHONY: run test test-elsewhere soak bench clean

run: $(STAMPS)/run
	@$(PYTHON) tools/qt_libraries.py
	@$(BIN)/detrdesk resources/samples/parcels.jpg

test: $(STAMPS)/test
	@$(PYTHON) tools/qt_libraries.py --for-tests
	@tools/test_stages.sh $(BIN)

# The tests that depend on the machine, on a machine of another kind: see tools/hostile_run.sh
test-elsewhere: $(STAMPS)/test
	@tools/hostile_run.sh $(abspath $(BIN))

soak: $(STAMPS)/test
	$(BIN)/pytest -m soak --timeout 1800

bench: $(STAMPS)/test
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(STAMPS)/venv:
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS)
	@touch $@

# torch first and alone: on Linux a build without CUDA is enough, and pip keeps what is there.
$(STAMPS)/torch: $(STAMPS)/venv constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	@touch $@

$(STAMPS)/run: $(STAMPS)/torch pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(STAMPS)/test: $(STAMPS)/run
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,int8]'
	@touch $@
