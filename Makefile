# Every target does its own set-up: the first call takes a minute or two, later ones none.
# PYTHON names the interpreter (otherwise the first of 3.13, 3.12, 3.11 and 3.14 that is there),
# AMISS_VENV the folder that it is set up in, ARGS what is handed on:
# make run ARGS="--home /tmp/try", make test ARGS=tests/laws

AMISS_VENV ?= .venv
UPGRADE = --upgrade
BIN = "$(AMISS_VENV)"/bin
SETUP = PYTHON="$(PYTHON)" AMISS_VENV="$(AMISS_VENV)" sh tools/setup.sh
COMPILE = $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate -q $(UPGRADE)

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run:  ## watch this machine; dashboard on http://127.0.0.1:8600
	@$(SETUP) core
	@exec $(BIN)/amiss run $(ARGS)

test:  ## all tests
	@$(SETUP) dev
	@$(BIN)/python tools/tests.py $(ARGS)

servers:  ## install the real servers of test-servers; some of them: make servers ARGS="prometheus"
	@$(SETUP) dev
	@$(BIN)/python tests/servers/install.py $(ARGS)

test-servers:  ## tests on real servers, once `make servers` has been run
	@$(SETUP) dev
	@$(BIN)/python tools/tests.py --servers $(ARGS)

test-all:  ## all tests, those on real servers too
	@$(SETUP) dev
	@$(BIN)/python tools/tests.py --all

check:  ## style, types, imports, lengths, generated docs
	@$(SETUP) dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m mypy tools
	$(BIN)/lint-imports --no-logo --cache-dir "$${IMPORT_LINTER_CACHE:-.import_linter_cache}"
	$(BIN)/python tools/check_lengths.py
	$(BIN)/python tools/docs.py --check
	$(BIN)/python tools/dashboards.py --check

format:  ## put the code in its form
	@$(SETUP) dev
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

bench:  ## benchmarks; one of them: make bench ARGS="budget --json"
	@$(SETUP) dev
	@set -- $(ARGS); names="$${1:-[a-z]*}"; [ $$# = 0 ] || shift; \
	for file in benchmarks/$$names.py; do \
	    echo "== $$file"; $(BIN)/python "$$file" "$$@" || exit 1; done

docs:  ## write docs/reference from the code
	@$(SETUP) dev
	@$(BIN)/python tools/docs.py

dashboards:  ## write deploy/grafana/dashboards from the code
	@$(SETUP) dev
	@$(BIN)/python tools/dashboards.py

lock:  ## renew requirements/*.txt; only what *.in asks for: make lock UPGRADE=
	@$(SETUP) dev
	$(COMPILE) requirements/build.in -o requirements/build.txt
	$(COMPILE) -c requirements/build.txt requirements/core.in -o requirements/core.txt
	$(COMPILE) -c requirements/build.txt -c requirements/core.txt requirements/dev.in \
	    -o requirements/dev.txt
	$(COMPILE) -c requirements/build.txt -c requirements/core.txt -c requirements/dev.txt \
	    requirements/onnx.in -o requirements/onnx.txt
	$(COMPILE) requirements/go.in -o requirements/go.txt
	$(COMPILE) requirements/peers.in -o requirements/peers.txt
	$(COMPILE) requirements/merlion.in -o requirements/merlion.txt

clean:  ## remove what was made here: the virtual environment and caches
	if [ -f "$(AMISS_VENV)"/pyvenv.cfg ]; then rm -rf "$(AMISS_VENV)"; fi
	rm -rf build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name .git -prune -o -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help run test servers test-servers test-all check format bench docs dashboards lock clean
