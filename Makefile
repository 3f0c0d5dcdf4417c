PYTHON ?= python3
FULL := build/full
LIGHT := build/light
# two processes of one thread each: most tests use one thread anyway. Freed memory is kept, where glibc can be told
PYTEST := OMP_NUM_THREADS=1 MALLOC_TRIM_THRESHOLD_=1073741824 MALLOC_MMAP_THRESHOLD_=1073741824 $(FULL)/bin/python -m pytest -n 2 --dist worksteal

.PHONY: help demo test check lint types train export readme bench examples oldest clean

help: ## Say what there is to make
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(LIGHT)/installed ## Install the light runtime beside the sources, and add 7 to the digit in a picture
	$(LIGHT)/bin/adder-infer examples/three.png 7

test: $(FULL)/installed ## Install everything and run all tests (ADDER_DATA names MNIST; tests that need it say so)
	$(PYTEST)

check: $(FULL)/installed lint types ## Lint, types and the fast tests
	$(PYTEST) -q -m "not slow"

lint: $(FULL)/installed
	$(FULL)/bin/ruff check .
	$(FULL)/bin/ruff format --check .

types: $(FULL)/installed
	$(FULL)/bin/mypy

train: $(FULL)/installed ## Train both approaches from nothing; their checkpoints replace those in artifacts/
	$(FULL)/bin/adder-train --test --force

export: $(FULL)/installed ## Export and prove both approaches; the files replace those in artifacts/
	$(FULL)/bin/adder-export --precision all --force
	$(FULL)/bin/adder-export --conformance --force

readme: $(FULL)/installed ## Write the README's tables anew from artifacts/
	$(FULL)/bin/python tools/readme_tables.py

bench: $(FULL)/installed ## Measure size, speed and memory, and say what became worse than in the report that is committed
	$(FULL)/bin/adder-bench --against artifacts/bench/report.json

oldest: ## Run the runtime's tests on the oldest ONNX Runtime that Python 3.11 can install
	$(PYTHON) -m venv --clear build/oldest
	build/oldest/bin/pip install --quiet --disable-pip-version-check . "onnxruntime==1.15.0" "numpy<2" pytest
	build/oldest/bin/python -m pytest -q tests/runtime

examples: $(FULL)/installed ## Run each example in another language or runtime, and hold it to the conformance vectors
	$(FULL)/bin/python tools/run_examples.py --write

clean: ## Remove what make has built
	rm -rf build dist

$(LIGHT)/installed: pyproject.toml hatch_build.py $(wildcard artifacts/*.onnx) $(wildcard runtime/adder_runtime/*.py)
	$(PYTHON) -m venv --clear $(LIGHT)
	$(LIGHT)/bin/pip install --quiet --disable-pip-version-check ".[cpu]"
	@touch $@

$(FULL)/installed: pyproject.toml hatch_build.py
	$(PYTHON) -m venv $(FULL)
	$(FULL)/bin/pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@
