# `make` alone lists the targets and variables.

VENV ?= .venv
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
ARGS ?=

# The commands of the environment in VENV, or of the active one where VENV is empty.
ifeq ($(strip $(VENV)),)
bin :=
installed :=
else
bin := $(VENV)/bin/
installed := $(VENV)/.installed
endif

.DEFAULT_GOAL := help
.PHONY: help book test lint size zoo bench pdf clean

help:
	@echo 'Targets:'
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo 'Variables:'
	@echo '  VENV=path    the environment, made by the first target that needs it (.venv); VENV= takes the'
	@echo '               active environment as it is'
	@echo '  PYTHON=...   the interpreter that makes it, 3.11 or newer (python3)'
	@echo '  CONSTRAINTS= installs the newest versions of the packages instead of the tested ones'
	@echo "  ARGS='...'   passed on to the target's command, such as make test ARGS='-k folders'"
	@echo 'Making the environment takes minutes and, on Linux, 6 GB: torch brings the CUDA libraries there.'

book: $(installed) ## execute the chapters and build the book: _build/html/index.html
	$(bin)metamerlib book $(ARGS)

test: $(installed) ## run the tests
	OMP_NUM_THREADS=1 $(bin)python -m pytest -n 2 $(ARGS)

lint: $(installed) ## check code, docstrings, imports and the pairing of the notebooks
	$(bin)ruff check $(ARGS)
	$(bin)ruff format --check
	$(bin)lint-imports
	$(bin)python -m metamerbook.build.pairing --check

size: $(installed) ## print how large the house is: code lines, files, import circles
	$(bin)python tests/size.py

zoo: $(installed) ## train the miniature networks whose weights are not there
	$(bin)metamerlib train $(ARGS)

bench: $(installed) ## measure speed and memory: build/benchmarks/report.md (ARGS=--help)
	$(bin)python -m benchmarks $(ARGS)

pdf: $(installed) ## print the book into one PDF: _build/metamerlib.pdf (needs chromium)
	$(bin)python tests/print_book.py $(ARGS)

clean: ## remove all that was built, stored results included; the environment stays
	rm -rf build _build dist .pytest_cache .ruff_cache .hypothesis
	find src tests book -name __pycache__ -prune -exec rm -rf {} +

# A stamp in the environment: it is made again when what it is made from changes.
$(VENV)/.installed: pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("metamerlib needs Python 3.11 or newer, but $(PYTHON) is " + sys.version.split()[0] + "; say make PYTHON=...")'
	@echo 'Making the environment $(VENV): some minutes, and 6 GB on Linux'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --editable '.[book,test,dev,bench]' $(addprefix --constraint ,$(CONSTRAINTS))
	@# RobustBench pins an old timm, and works beside the newest.
	@$(VENV)/bin/python -m pip install --quiet --no-deps robustbench $(addprefix --constraint ,$(CONSTRAINTS))
	@touch $@
