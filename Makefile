# make report   environment, installation, the default comparison; says where the report is
# make test     environment, installation, linters, type checker, tests
# make docs     the documentation, in docs/_build/html
# make help     this list

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
OUT ?= out/report

export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_NO_INPUT = 1
export PYTHONUTF8 = 1

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq -c constraints.txt
NEEDS := pyproject.toml constraints.txt tools/environment.py

.NOTPARALLEL:
.PHONY: report test lint types docs pre-commit clean help

report: $(VENV)/.installed
	@$(BIN)/varnn demo --out $(OUT)

test: $(VENV)/.installed-test lint types
	$(BIN)/python -m pytest -n $(JOBS)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

docs: $(VENV)/.installed-docs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "the documentation is in docs/_build/html/index.html"

pre-commit: $(VENV)/.installed-test
	$(PIP) pre-commit
	$(BIN)/pre-commit install

clean:
	rm -rf $(VENV) out docs/_build docs/api/generated docs/gallery .mypy_cache .ruff_cache .pytest_cache

help:
	@sed -n 's/^# //p' Makefile

$(VENV)/.installed: $(NEEDS)
	@$(PYTHON) tools/environment.py $(VENV)
	@echo "installing varnn and what it needs (once; torch and scipy make it a few minutes)"
	@$(PIP) -e '.[torch]'
	@touch $@

$(VENV)/.installed-test: $(NEEDS) $(VENV)/.installed
	@echo "installing what the tests need (once)"
	@$(PIP) -e '.[test]'
	@touch $@

$(VENV)/.installed-docs: $(NEEDS) $(VENV)/.installed
	@echo "installing what the documentation needs (once)"
	@$(PIP) -e '.[docs]'
	@touch $@
