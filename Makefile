# Everything runs in .venv, which make builds from pyproject.toml and constraints.txt.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint types layers docs site acceptance bench pmo sample clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "mrl needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try PYTHON=python3.12, for example."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing mrl into $(VENV) (some minutes the first time) ..."
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "installing what the tests need ..."
	$(PIP) -e '.[dev]'
	@touch $@

demo: $(VENV)/.run  ## the main job on the bundled sample: train, sample, screen, fine-tune, report (about 3 minutes)
	$(BIN)/mrl demo --force

JOBS ?= 2
test: $(VENV)/.dev  ## the tests, doctests included, without those marked slow (4 minutes on two cores; JOBS=8 for more)
	$(BIN)/python -m pytest -m "not slow" -n $(JOBS) --dist loadfile

test-all: test  ## all tests: make test, then those marked slow
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.dev  ## style and common mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## static types, of the tests too
	$(BIN)/mypy

layers: $(VENV)/.dev  ## the structure: what may import what, circles, sizes, public names
	$(BIN)/python -m pytest tests/contract/test_layers.py tests/contract/test_public_names.py

$(VENV)/.recipes: $(VENV)/.dev
	@echo "installing the toolboxes of the recipes ..."
	$(PIP) -e '.[recipes]'
	$(PIP) --no-deps -r benchmarks/requirements.txt  # scikit-fingerprints and datasets ask for other versions
	@touch $@

docs: $(VENV)/.recipes  ## run the code of every document; check that every public docstring is complete
	$(BIN)/python -m pytest tests/contract/test_documents.py tests/contract/test_documentation.py

site: $(VENV)/.dev  ## build the documentation site into build/site; a warning is an error
	$(PIP) -e '.[site]'
	$(BIN)/python -m sphinx --fail-on-warning --keep-going -b html docs build/site

acceptance:  ## the jobs of new users, with the built wheel in an environment of its own (about 5 minutes)
	rm -rf build/acceptance
	$(PYTHON) -m venv build/acceptance
	build/acceptance/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps -w build/acceptance/wheel .
	build/acceptance/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt build/acceptance/wheel/*.whl pytest
	cd build/acceptance && PYTHONPATH= bin/python -m pytest -q -c /dev/null -p no:cacheprovider $(CURDIR)/acceptance

bench: $(VENV)/.recipes  ## speed, as ratios against peers in the same run (about 10 minutes); and how peers change molecules
	$(PIP) -e '.[bench]'
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/peers.py

PMO ?= --tasks one-definition --seeds 0 --budget 10000 --options '{"samples": 0}'
PMO_MODEL ?= build/pmo-prior
pmo: $(VENV)/.dev  ## goal-directed generation: PMO="--tasks qed --seeds 0 1 --budget 1000", PMO_MODEL=folder of the prior
	$(BIN)/python benchmarks/pmo.py run --model $(PMO_MODEL) $(PMO) -o build/pmo
	$(BIN)/python benchmarks/pmo.py table build/pmo

sample: $(VENV)/.dev  ## make the bundled sample again and compare it with the one in the repository
	$(BIN)/python scripts/make_sample.py --check

clean:  ## remove what was built
	rm -rf $(VENV) build dist mrl-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
