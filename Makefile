# The two commands of the README are `make run` and `make test`; each sets up all it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
ARGS ?=
FAMILY ?=

.PHONY: run test check format quick build soak-cluster soak-interrupts soak-replication soak-sentinel \
	fuzz-scripts bench conformance conformance-cluster conformance-sentinel interop interop-all clean

run: build
	exec $(BIN)/carnelian-server $(ARGS)

test: check
	$(BIN)/python -m pytest $(ARGS)

check: build $(VENV)/tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.shadow

format: $(VENV)/ready $(VENV)/tools
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The tests of one family of commands: make quick FAMILY=lists
quick: build $(VENV)/tools
	$(BIN)/python -m pytest -k "$(FAMILY)" tests/commands tests/datatypes tests/differential $(ARGS)

build: $(VENV)/ready
	@$(BIN)/python setup.py -q build_ext --inplace

# Random commands, interrupted so many times at random moments.
soak-interrupts: build $(VENV)/tools
	$(BIN)/python -m tests.interrupts --interrupts 100000 $(ARGS)

# Histories of Sentinels with crashes and partitions.
soak-sentinel: build $(VENV)/tools
	$(BIN)/python -m tests.sentinel.histories --histories 10000 $(ARGS)

# Histories of primaries and replicas with faults; pairs and chains with redis-server, links that
# are cut, primaries that are killed.
soak-replication: build $(VENV)/tools
	$(BIN)/python -m tests.replication.histories --histories 10000
	$(BIN)/python -m tests.replication.soak $(ARGS)

# Histories of clusters with crashes, partitions, losses of power and messages that come twice.
soak-cluster: build $(VENV)/tools
	$(BIN)/python -m tests.cluster.histories --histories 10000 $(ARGS)

# A million random scripts, and as many rules of users.
fuzz-scripts: build $(VENV)/tools
	$(BIN)/python -m tests.fuzzing --count 1000000 $(ARGS)

bench: build $(VENV)/tools
	$(BIN)/python benchmarks/compare.py $(ARGS)

conformance: build $(VENV)/tools
	$(BIN)/python -m tests.redis_suite $(ARGS)

# Redis's own suite for Sentinels, some ten minutes: most of it is waiting.
conformance-sentinel: build $(VENV)/tools
	$(BIN)/python -m tests.redis_suite.sentinel_suite $(ARGS)

# Redis's own suite for clusters, an hour: ARGS=--mixed has every second server be redis-server.
conformance-cluster: build $(VENV)/tools
	$(BIN)/python -m tests.redis_suite.cluster_suite $(ARGS)

# Clients of other languages, and frameworks with their workers: those that take little.
interop: build $(VENV)/tools
	$(BIN)/python -m tests.interop $(ARGS)

# All of them, with the builds of Java, Go and Rust; writes the tables of the README.
interop-all: build $(VENV)/tools
	$(BIN)/python -m tests.interop --all --write $(ARGS)

# What is needed and cannot be installed here is asked for before anything is set up.
define MISSING
import sys
if sys.version_info < (3, 11):
    sys.exit("Python 3.11 or newer is needed; $(PYTHON) is %d.%d (make PYTHON=python3.12 names another)"
             % sys.version_info[:2])
try:
    import ensurepip, venv
except ImportError:
    sys.exit("$(PYTHON) has no venv module (Debian and Ubuntu: apt install python3-venv)")
endef
export MISSING

$(VENV)/ready: pyproject.toml
	@$(PYTHON) -c "" || { echo "Python 3.11 or newer is needed (make PYTHON=... names it)"; exit 1; }
	@$(PYTHON) -c "$$MISSING"
	@echo "Setting up $(VENV) with Cython and redis-py"
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(PIP) install "setuptools>=77" "Cython>=3.3,<3.4"
	@$(BIN)/python setup.py --version >/dev/null
	@CARNELIAN_WITHOUT_EXTENSIONS=1 $(PIP) install --no-build-isolation -e ".[client]"
	@touch $@

$(VENV)/tools: pyproject.toml | $(VENV)/ready
	@echo "Adding the tools for tests and benchmarks to $(VENV)"
	@CARNELIAN_WITHOUT_EXTENSIONS=1 $(PIP) install --no-build-isolation -e ".[dev]"
	@touch $@

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache src/*.egg-info
	find src -name '*.so' -delete
