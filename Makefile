# Everything a newcomer and our own checks run. Needs Python 3.11 or newer, git and make.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test check verify lint types real lowest lock clean

demo: $(READY)  ## the whole pipeline on the raw files in examples/, in a few minutes
	$(BIN)/pile run -c examples/demo.toml || test $$? -eq 3
	@echo
	@$(BIN)/pile status -c examples/demo.toml
	@echo
	@echo "The report:  work/demo/latest/report.html  (open it in a browser)"
	@echo "Next:        $(BIN)/pile verify -c examples/demo.toml"

test: $(READY)  ## all tests; those over real raw files too when PILE_SAMPLES names their folder
	$(BIN)/python -m pytest -n 2

check: lint types test demo verify lowest  ## all that our gate checks
	@echo "all checks passed."

verify: $(READY)
	$(BIN)/pile verify -c examples/demo.toml

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

real: $(READY)  ## the pipeline over a folder of real raw files: make real PILE_SAMPLES=/data/samples
	$(BIN)/pile run -c examples/samples.toml || test $$? -eq 3
	$(BIN)/pile verify -c examples/samples.toml

lowest:  ## the tests with the oldest versions that pyproject.toml admits
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet uv
	.venv-lowest/bin/uv pip install --quiet --compile-bytecode --python .venv-lowest/bin/python --resolution lowest-direct --group dev -e .
	.venv-lowest/bin/python -m pytest -n 2 -q -m "not real"

lock: $(READY)  ## write requirements.lock anew
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --group dev --no-header pyproject.toml -o requirements.lock

$(READY): pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

clean:  ## forget the environment and the demo's output
	rm -rf .venv .venv-lowest work/demo
