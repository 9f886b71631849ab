# The two commands of the README are `make run` and `make test`; each sets up all it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: run test check build bench conformance soak-interrupts interop clean

run: build
	exec $(BIN)/carnelian-server $(ARGS)

test: check
	$(BIN)/python -m pytest $(ARGS)

check: build
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

build: $(VENV)/ready
	$(BIN)/python setup.py -q build_ext --inplace

bench: build
	$(BIN)/python benchmarks/compare.py $(ARGS)

conformance: build
	$(BIN)/python -m tests.redis_suite $(ARGS)

soak-interrupts: build
	$(BIN)/python -m tests.interrupts $(ARGS)

interop: build
	$(BIN)/python tests/interop/run.py

$(VENV)/ready: pyproject.toml
	@command -v cc >/dev/null || { echo "A C compiler is needed (Debian: apt install gcc)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q "setuptools>=77" "Cython>=3.3,<3.4"
	CARNELIAN_WITHOUT_EXTENSIONS=1 $(BIN)/python -m pip install -q --no-build-isolation -e ".[dev]"
	touch $@

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache src/*.egg-info
	find src -name '*.so' -delete
