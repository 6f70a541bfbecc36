# `make demo` runs the main job, `make test` every test; both set themselves up. What they need beside
# Rust and Python 3.10 or newer goes into build/.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := build/venv
BIN := $(VENV)/bin

.PHONY: help demo test ct rust-test python-test lint msrv fuzz fuzz-replay bench figures clean

help:
	@echo "make demo      the main job on a fresh SQLite file"
	@echo "make test      all tests: Rust, Python, documentation, lints"
	@echo "make ct        what is constant-time, shown by valgrind; part of make test"
	@echo "make fuzz      every fuzz target, SECONDS=60 each"
	@echo "make bench     the benchmarks, beside other libraries too; the tables and the chart of benches/README.md"
	@echo "make figures   the other figures of README.md, each from its command"

demo: $(BIN)/.installed
	$(BIN)/python -m safeconduct demo

test:
	./.ci/test $(PYTHON)

ct:
	ct/run

fuzz:
	fuzz/run $(or $(SECONDS_EACH),60)

bench:
	benches/table --run --write

figures:
	benches/figures

# The package and what its tests need, installed anew whenever a source is newer.
SOURCES := Cargo.toml Cargo.lock $(shell find core/src authority/src bindings/python -name '*.rs' -o -name '*.py' \
	-o -name '*.pyi' -o -name '*.toml' 2>/dev/null | grep -v /tests/)

$(BIN)/.installed: $(SOURCES)
	@test -x $(BIN)/python || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	$(BIN)/python -m pip install --quiet ./bindings/python
	@touch $@

$(BIN)/.tested: $(BIN)/.installed bindings/python/tests/requirements.txt
	$(BIN)/python -m pip install --quiet -r bindings/python/tests/requirements.txt
	@touch $@

.PHONY: venv
venv: $(BIN)/.tested

clean:
	rm -rf build target fuzz/target
